import { once } from "node:events";

/** Heap of a process that was started with `--inspect`, through its address `ws://…`. */
export interface Heap {
  /** Number of bytes in use after a garbage collection. */
  used(): Promise<number>;
  close(): void;
}

interface Reply {
  readonly id?: number;
  readonly result?: { readonly usedSize?: number };
}

export async function openHeap(address: string): Promise<Heap> {
  const socket = new WebSocket(address);
  await once(socket, "open");
  const waiting = new Map<number, (reply: Reply) => void>();
  socket.addEventListener("message", ({ data }) => {
    const reply: Reply = JSON.parse(String(data));
    waiting.get(reply.id ?? 0)?.(reply);
    waiting.delete(reply.id ?? 0);
  });
  let serial = 0;
  const call = (method: string): Promise<Reply> =>
    new Promise((resolve) => {
      serial++;
      waiting.set(serial, resolve);
      socket.send(JSON.stringify({ id: serial, method }));
    });
  return {
    used: async () => {
      await call("HeapProfiler.collectGarbage");
      return (await call("Runtime.getHeapUsage")).result?.usedSize ?? 0;
    },
    close: () => socket.close(),
  };
}
