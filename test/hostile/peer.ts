import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** Somebody on the pod network: an address that is not the API server's, and no right at all. */
export class Peer {
  readonly #address: string;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  /** Connections that the server ended, or refused. */
  ended = 0;
  /** Answers, by status. */
  readonly answers = new Map<string, number>();

  constructor(address: string, port: number) {
    this.#address = address;
    this.#port = port;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** Over TLS; undefined where the server would not have it. */
  async tls(): Promise<TLSSocket | undefined> {
    const socket = connectTls({ ...this.#where(), rejectUnauthorized: false });
    this.#keep(socket);
    try {
      await unlessClosed(socket, "secureConnect");
      socket.on("data", (chunk: Buffer) => this.#count(chunk));
      return socket;
    } catch {
      return undefined;
    }
  }

  /** A bare connection on which TLS never begins. */
  async tcp(): Promise<Socket | undefined> {
    const socket = connectTcp(this.#where());
    this.#keep(socket);
    try {
      await unlessClosed(socket, "connect");
      return socket;
    } catch {
      return undefined;
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
  }

  #where() {
    return { host: "127.0.0.1", port: this.#port, localAddress: this.#address };
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#sockets.delete(socket)) this.ended += 1;
    });
  }

  #count(chunk: Buffer): void {
    for (const [, status = ""] of chunk.toString("latin1").matchAll(/HTTP\/1\.1 (\d{3})/g))
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
  }
}

/** Rejects where the socket is closed first, by whichever end. */
async function unlessClosed(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  await once(socket, event, { signal: closed.signal });
}

/** Head of a review of so many bytes, whoever sends them. */
export function reviewHead(length: number | "chunked", path = "/mutate/pods"): string {
  const body = length === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
  return `POST ${path} HTTP/1.1\r\nHost: keyvault-injector-webhook.keyvault-injector.svc\r\nContent-Type: application/json\r\n${body}\r\n\r\n`;
}
