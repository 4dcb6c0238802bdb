import { once } from "node:events";
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Socket } from "node:net";

/** Forwards every connection to another address, byte for byte. */
export interface SocketRelay {
  /** 0 if it listens on a unix socket. */
  readonly port: number;
  close(): Promise<void>;
}

/** Unix sockets are found by path in any network namespace, so that a pair of relays connects two networks. */
export async function relaySockets(from: ListenOptions, to: NetConnectOpts): Promise<SocketRelay> {
  const open = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(to);
    join(client, upstream, open);
    join(upstream, client, open);
  });
  listener.listen(from);
  await once(listener, "listening");
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: async () => {
      const closed = once(listener, "close");
      listener.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function join(source: Socket, target: Socket, open: Set<Socket>): void {
  open.add(source);
  source.on("error", () => target.destroy());
  source.on("close", () => {
    open.delete(source);
    // Still delivers the source's data. No one reads the target any more, so that it would not notice the end of its own peer.
    target.destroySoon();
  });
  source.pipe(target);
}
