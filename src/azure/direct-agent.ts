import { Agent } from "node:http";
import { Socket } from "node:net";

/**
 * Creates an agent whose connections no proxy variable diverts, because the SDK does not change a request that has an agent. Its
 * connections end after `idleMs` without a byte: outside Azure nothing responds at a link-local address, and TCP alone would try for
 * minutes.
 */
export function createDirectAgent(idleMs: number): Agent {
  return new DirectAgent(idleMs);
}

class DirectAgent extends Agent {
  readonly #idleMs: number;

  constructor(idleMs: number) {
    super({ keepAlive: false });
    this.#idleMs = idleMs;
  }

  override createConnection(...given: Parameters<Agent["createConnection"]>): ReturnType<Agent["createConnection"]> {
    const socket = super.createConnection(...given);
    if (socket instanceof Socket) {
      socket.setTimeout(this.#idleMs, () => socket.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    }
    return socket;
  }
}
