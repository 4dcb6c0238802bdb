import { Agent } from "node:http";
import { Socket } from "node:net";

/**
 * Connections that no proxy variable diverts (the SDK leaves a request alone that has an agent), and that end after
 * `idleMs` without a byte: nothing answers at a link-local address outside Azure, and TCP alone would try for minutes.
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
