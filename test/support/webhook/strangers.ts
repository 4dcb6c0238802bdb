import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** An address of this machine that honest clients do not use. Only Linux has all of 127.0.0.0/8. */
export const ELSEWHERE = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1";

export interface StrangerOptions {
  readonly port: number;
  /** Local address. Default {@link ELSEWHERE}. */
  readonly from?: string;
}

/** Connections of an attacker, which are closed together. */
export interface Strangers<S extends Socket> {
  readonly sockets: readonly S[];
  /** Returns the number of open connections. */
  readonly open: () => number;
  readonly end: () => void;
}

function strangers<S extends Socket>(sockets: readonly S[]): Strangers<S> {
  // Without a listener, an error of a socket would end the test's process.
  for (const socket of sockets) socket.on("error", () => undefined);
  return {
    sockets,
    open: () => sockets.filter(({ closed }) => !closed).length,
    end: () => void sockets.map((socket) => socket.destroy()),
  };
}

/** Connections that send nothing. */
export async function silentStrangers(count: number, { port, from = ELSEWHERE }: StrangerOptions): Promise<Strangers<Socket>> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    // With more connections than the server's backlog, the kernel reports them as connected, but the server sees them only seconds later.
    const length = Math.min(200, count - sockets.length);
    const some = strangers(Array.from({ length }, () => connectTcp({ port, host: "127.0.0.1", localAddress: from })));
    await Promise.allSettled(some.sockets.map((socket) => once(socket, "connect")));
    sockets.push(...some.sockets);
  }
  return strangers(sockets);
}

/** TLS connections that each send this text. */
export async function strangersThatSay(said: string, count: number, options: StrangerOptions): Promise<Strangers<TLSSocket>> {
  const { port, from = ELSEWHERE } = options;
  const sockets = Array.from({ length: count }, () =>
    connectTls({ socket: connectTcp({ port, host: "127.0.0.1", localAddress: from }), servername: "localhost", rejectUnauthorized: false }),
  );
  const all = strangers(sockets);
  await Promise.allSettled(sockets.map((socket) => once(socket, "secureConnect")));
  // A socket that does not read does not notice its end.
  for (const socket of sockets) socket.resume().write(said);
  return all;
}

/** Head of a review request, with the body if one is given. */
export function requestOf(length: number, body = ""): string {
  return `POST /mutate/pods HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

export function wholeRequest(review: unknown): string {
  const body = JSON.stringify(review);
  return requestOf(Buffer.byteLength(body), body);
}
