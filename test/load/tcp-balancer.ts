import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One replica behind the balancer. */
export interface Backend {
  readonly port: number;
  isReady(): Promise<boolean>;
}

/** What a Service and kube-proxy are in a cluster: connections go to ready replicas in turn, and readiness is known late. */
export interface TcpBalancer {
  readonly port: number;
  /** Connections handed to each port so far. */
  readonly connections: ReadonlyMap<number, number>;
  add(backend: Backend): void;
  /** As when the pod is gone from the API: known after the delay too. */
  remove(backend: Backend): void;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 100;

/** `delayMs` pass between a change of readiness and its effect. Connections that are open stay where they are. */
export async function startTcpBalancer({ delayMs }: { readonly delayMs: number }): Promise<TcpBalancer> {
  const backends = new Set<Backend>();
  const routed = new Set<number>();
  const connections = new Map<number, number>();
  const open = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let turn = 0;

  const later = (change: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      change();
    }, delayMs);
    timers.add(timer);
  };
  const known = new Map<number, boolean>();
  const check = async (): Promise<void> => {
    for (const backend of backends) {
      const isReady = await backend.isReady();
      if (known.get(backend.port) === isReady) continue;
      known.set(backend.port, isReady);
      later(() => (isReady ? routed.add(backend.port) : routed.delete(backend.port)));
    }
  };
  const poll = setInterval(() => void check().catch(() => undefined), LOOK_EVERY_MS);

  const server = createServer((inbound) => {
    const ports = [...routed];
    const port = ports[turn++ % Math.max(1, ports.length)];
    if (port === undefined) {
      inbound.destroy();
      return;
    }
    connections.set(port, (connections.get(port) ?? 0) + 1);
    join(inbound, connect(port, "127.0.0.1"), open);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, // A TCP server has a numbered port.
    connections,
    add: (backend) => void backends.add(backend),
    remove: (backend) => {
      backends.delete(backend);
      later(() => routed.delete(backend.port));
    },
    stop: async () => {
      clearInterval(poll);
      for (const timer of timers) clearTimeout(timer);
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function join(inbound: Socket, outbound: Socket, open: Set<Socket>): void {
  for (const [from, to] of [
    [inbound, outbound],
    [outbound, inbound],
  ] as const) {
    open.add(from);
    from.on("data", (chunk) => to.write(chunk));
    from.on("end", () => to.end());
    // A connection that is refused there ends here. (A reset would be nearer to kube-proxy; Node leaks the handle of some that it resets.)
    from.on("error", () => to.destroy());
    from.on("close", () => {
      open.delete(from);
      to.destroy();
    });
  }
}
