import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** A peer on the pod network, with an address that is not the API server's, and without rights. */
export class Peer {
  readonly #address: string;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  /** Number of connections that the server ended or refused. */
  ended = 0;
  /** Number of answers by status. */
  readonly answers = new Map<string, number>();

  constructor(address: string, port: number) {
    this.#address = address;
    this.#port = port;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** Opens a TLS connection. Undefined if the server refuses it. */
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

  /** Opens a bare connection, on which TLS never begins. */
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

/** Rejects if either end closes the socket first. */
async function unlessClosed(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  await once(socket, event, { signal: closed.signal });
}

/** Head of a review with this length, for any peer. */
export function reviewHead(length: number | "chunked", path = "/mutate/pods"): string {
  const body = length === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
  return `POST ${path} HTTP/1.1\r\nHost: keyvault-injector-webhook.keyvault-injector.svc\r\nContent-Type: application/json\r\n${body}\r\n\r\n`;
}
