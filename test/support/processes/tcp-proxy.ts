import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Forwards bytes to one address, so that a test can count, cut and refuse connections. */
export interface TcpProxy {
  readonly port: number;
  /** Number of connections accepted so far. */
  readonly connections: number;
  /** Resets every open connection. */
  cut(): void;
  /** Whether the proxy resets new connections immediately. */
  refusing: boolean;
  /** Whether the proxy discards all data, like a peer that has become silent. */
  frozen: boolean;
  /** Delay in milliseconds of all data in both directions. 0 at first. */
  delayMs: number;
  stop(): Promise<void>;
}

export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((inbound) => {
    connections++;
    if (proxy.refusing) {
      inbound.resetAndDestroy();
      return;
    }
    const outbound = connect(target.port, target.host);
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      open.add(from);
      from.on("data", (chunk) => {
        if (proxy.frozen) return;
        // Timers with the same delay fire in order, so that the chunks keep their order.
        if (proxy.delayMs > 0) setTimeout(() => to.write(chunk), proxy.delayMs);
        else to.write(chunk);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port, // A TCP server has a numbered port.
    get connections() {
      return connections;
    },
    cut: () => {
      for (const socket of open) socket.resetAndDestroy();
    },
    refusing: false,
    frozen: false,
    delayMs: 0,
    stop: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
