import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** An address of this machine that is not the one of those who ask in earnest. Only Linux has all of 127.0.0.0/8. */
export const ELSEWHERE = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1";

export interface StrangerOptions {
  readonly port: number;
  /** Default: {@link ELSEWHERE}. */
  readonly from?: string;
}

/** Connections of somebody who is up to no good; closed together. */
export interface Strangers<S extends Socket> {
  readonly sockets: readonly S[];
  /** How many are still open. */
  readonly open: () => number;
  readonly end: () => void;
}

function strangers<S extends Socket>(sockets: readonly S[]): Strangers<S> {
  // An end without anybody who listens for it would be an error of the test's process.
  for (const socket of sockets) socket.on("error", () => undefined);
  return {
    sockets,
    open: () => sockets.filter(({ closed }) => !closed).length,
    end: () => void sockets.map((socket) => socket.destroy()),
  };
}

/** Connections that say nothing at all. */
export async function silentStrangers(count: number, { port, from = ELSEWHERE }: StrangerOptions): Promise<Strangers<Socket>> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    // More than a server's backlog at once: the kernel calls them connected, and lets the server see them seconds later.
    const length = Math.min(200, count - sockets.length);
    const some = strangers(Array.from({ length }, () => connectTcp({ port, host: "127.0.0.1", localAddress: from })));
    await Promise.allSettled(some.sockets.map((socket) => once(socket, "connect")));
    sockets.push(...some.sockets);
  }
  return strangers(sockets);
}

/** Connections over TLS that each send this. */
export async function strangersThatSay(said: string, count: number, options: StrangerOptions): Promise<Strangers<TLSSocket>> {
  const { port, from = ELSEWHERE } = options;
  const sockets = Array.from({ length: count }, () =>
    connectTls({ socket: connectTcp({ port, host: "127.0.0.1", localAddress: from }), servername: "localhost", rejectUnauthorized: false }),
  );
  const all = strangers(sockets);
  await Promise.allSettled(sockets.map((socket) => once(socket, "secureConnect")));
  // Whoever does not read does not notice an end either.
  for (const socket of sockets) socket.resume().write(said);
  return all;
}

/** The head of a review's request, and a body where one is given. */
export function requestOf(length: number, body = ""): string {
  return `POST /mutate/pods HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

export function wholeRequest(review: unknown): string {
  const body = JSON.stringify(review);
  return requestOf(Buffer.byteLength(body), body);
}
