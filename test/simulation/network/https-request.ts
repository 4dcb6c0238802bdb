/**
 * Replaces node:https and node:http: requests of the Azure SDK go through the fabric, and the kubelet's probes call the worker's server
 * directly.
 */
import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import { currentMachine } from "../time/context.ts";
import type { Machine } from "../time/machine.ts";
import type { Fabric, Sent } from "./fabric.ts";

interface RequestOptions {
  readonly hostname?: string;
  readonly port?: string | number | null;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
}

class SimulatedResponse extends Readable {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, headers: Readonly<Record<string, string>>) {
    super();
    this.statusCode = status;
    this.headers = headers;
  }

  override _read(): void {
    // `onData` pushes the parts as they arrive.
  }

  /** As Node's own: an error without a listener does nothing. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    process.nextTick(() => done(this.listenerCount("error") === 0 ? null : error));
  }
}

class SimulatedRequest extends Writable {
  readonly #fabric: Fabric;
  readonly #options: RequestOptions;
  readonly #chunks: Buffer[] = [];
  #sent: Sent | undefined;
  #response: SimulatedResponse | undefined;

  constructor(fabric: Fabric, options: RequestOptions) {
    super({ autoDestroy: false });
    this.#fabric = fabric;
    this.#options = options;
  }

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  override _final(done: () => void): void {
    const { hostname = "", port, path = "/", method = "GET", headers = {} } = this.#options;
    const host = port === undefined || port === null || port === "" ? hostname : `${hostname}:${port}`;
    this.#sent = this.#fabric.send(
      {
        machine: currentMachine(),
        host: host.toLowerCase(),
        method,
        path,
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
        body: Buffer.concat(this.#chunks).toString("utf8"),
      },
      {
        onHead: (status, answered) => {
          this.#response = new SimulatedResponse(status, answered);
          this.emit("response", this.#response);
        },
        onData: (chunk) => this.#response?.push(chunk),
        onEnd: () => this.#response?.push(null),
        onError: (error) => {
          if (this.#response === undefined) this.destroy(error);
          else this.#response.destroy(error);
        },
      },
    );
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#sent?.abort();
    if (error !== null) this.#response?.destroy(error);
    done(error);
  }
}

type OnResponse = (response: SimulatedResponse) => void;

/** Replaces `https.request` with options and a callback. */
export function simulatedRequest(fabric: () => Fabric): (options: RequestOptions, onResponse?: OnResponse) => Writable {
  return (options, onResponse) => {
    const request = new SimulatedRequest(fabric(), options);
    if (onResponse !== undefined) request.once("response", onResponse);
    return request;
  };
}

type Listener = (request: ProbeRequest, response: ProbeResponse) => void;

/** The server that a process opened, by its machine. */
const servers = new WeakMap<Machine, SimulatedServer>();

class SimulatedServer extends EventEmitter {
  constructor(listener?: Listener) {
    super();
    if (listener !== undefined) this.on("request", listener);
  }

  listen(_where: unknown, done?: () => void): this {
    const machine = currentMachine();
    if (machine !== undefined) servers.set(machine, this);
    setTimeout(() => done?.(), 0);
    return this;
  }

  address(): { readonly port: number } {
    return { port: 1 };
  }

  close(done?: () => void): this {
    const machine = currentMachine();
    if (machine !== undefined) servers.delete(machine);
    setTimeout(() => done?.(), 0);
    return this;
  }

  closeAllConnections(): void {
    // Connections do not outlast their request.
  }
}

/** Replaces `http.createServer`, with or without options before the listener. */
export function simulatedServer(...given: readonly unknown[]): SimulatedServer {
  const listener = given.find((each): each is Listener => typeof each === "function");
  return new SimulatedServer(listener);
}

class ProbeSocket extends EventEmitter {
  readonly remoteAddress = "10.0.0.1";
  destroyed = false;

  destroy(): this {
    this.destroyed = true;
    this.emit("close");
    return this;
  }
}

class ProbeRequest extends EventEmitter {
  readonly method = "GET";
  readonly complete = true;
  readonly headers = {};
  readonly url: string;
  readonly socket: ProbeSocket;

  constructor(url: string, socket: ProbeSocket) {
    super();
    this.url = url;
    this.socket = socket;
  }

  resume(): this {
    return this;
  }
}

class ProbeResponse extends EventEmitter {
  readonly destroyed = false;
  writableEnded = false;
  closed = false;
  status = 0;

  writeHead(status: number): this {
    this.status = status;
    return this;
  }

  end(text = ""): this {
    this.writableEnded = true;
    this.emit("answered", { status: this.status, text } satisfies Probed);
    this.closed = true;
    this.emit("close");
    return this;
  }
}

export interface Probed {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends a probe to the process's server from a kubelet's address. Does nothing if the process has no server. Call this as an action of the
 * machine.
 */
export function probe(machine: Machine, url: string, onAnswer: (answer: Probed) => void): void {
  const server = servers.get(machine);
  if (server === undefined) return;
  const [socket, response] = [new ProbeSocket(), new ProbeResponse()];
  response.once("answered", (answer: Probed) => {
    onAnswer(answer);
    socket.destroy();
  });
  server.emit("connection", socket);
  const request = new ProbeRequest(url, socket);
  server.emit("request", request, response);
  request.emit("end");
}
