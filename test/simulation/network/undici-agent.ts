/** Replaces undici's Agent. Requests go through the fabric, at most as many at a time as the agent has connections. */
import { createRequire } from "node:module";
import type { Dispatcher } from "undici";
import { currentMachine } from "../time/context.ts";
import type { Fabric, Sent } from "./fabric.ts";

/** Uses require, because `import` would fix the exports that others get from the package before this file replaces the agent. */
const undici: typeof import("undici") = createRequire(import.meta.url)("undici");

let fabric: Fabric | undefined;

export function useFabric(of: Fabric): void {
  fabric = of;
}

/** Replaces the agent for every module that imports undici for the first time after this call. */
export function replaceAgent(): void {
  Object.assign(undici, { Agent: SimulatedAgent });
}

interface AgentOptions {
  readonly connections?: number | null;
}

type Handler = Dispatcher.DispatchHandler;
type Options = Dispatcher.DispatchOptions;

export class SimulatedAgent extends undici.Dispatcher {
  readonly #connections: number;
  readonly #waiting: SimulatedCall[] = [];
  readonly #running = new Set<SimulatedCall>();
  #isDestroyed = false;

  constructor(options: AgentOptions = {}) {
    super();
    this.#connections = options.connections ?? Number.POSITIVE_INFINITY;
  }

  override dispatch(options: Options, handler: Handler): boolean {
    if (fabric === undefined) throw new Error("simulation: a request was made before a world began");
    const ended = (): void => {
      this.#running.delete(call);
      this.#startNext();
    };
    const call = new SimulatedCall({ fabric, options, handler, ended });
    if (this.#isDestroyed) call.fail(new undici.errors.ClientDestroyedError());
    else this.#waiting.push(call);
    this.#startNext();
    return true;
  }

  #startNext(): void {
    while (this.#running.size < this.#connections) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      if (call.isOver) continue;
      this.#running.add(call);
      call.start();
    }
  }

  // As undici promises: pending requests end normally.
  override close(): Promise<void>;
  override close(done: () => void): void;
  override close(done?: () => void): Promise<void> | undefined {
    done?.();
    return done === undefined ? Promise.resolve() : undefined;
  }

  override destroy(): Promise<void>;
  override destroy(error: Error | null): Promise<void>;
  override destroy(done: () => void): void;
  override destroy(error: Error | null, done: () => void): void;
  override destroy(..._given: readonly unknown[]): Promise<void> {
    this.#isDestroyed = true;
    for (const call of [...this.#running, ...this.#waiting]) call.fail(new undici.errors.ClientDestroyedError());
    this.#waiting.length = 0;
    return Promise.resolve();
  }
}

interface CallOptions {
  readonly fabric: Fabric;
  readonly options: Options;
  readonly handler: Handler;
  readonly ended: () => void;
}

/** One request, which is also the controller that its handler gets. */
class SimulatedCall {
  readonly #call: CallOptions;
  #sent: Sent | undefined;
  #timer: NodeJS.Timeout | undefined;
  isOver = false;

  // Fields of undici's controller.
  paused = false;
  aborted = false;
  reason: Error | null = null;

  constructor(call: CallOptions) {
    this.#call = call;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
    this.fail(reason);
  }

  start(): void {
    const { fabric: way, options, handler } = this.#call;
    handler.onRequestStart?.(this, {});
    if (this.isOver) return;
    const { headersTimeout } = options;
    const late = (): void => this.fail(new undici.errors.HeadersTimeoutError());
    if (typeof headersTimeout === "number" && headersTimeout > 0) this.#timer = setTimeout(late, headersTimeout);
    this.#sent = way.send(
      {
        machine: currentMachine(),
        host: hostOf(String(options.origin)),
        method: options.method,
        path: options.path,
        headers: lowerCased(options.headers),
        body: typeof options.body === "string" ? options.body : "",
      },
      {
        onHead: (status, headers) => {
          clearTimeout(this.#timer);
          handler.onResponseStart?.(this, status, { ...headers }, "");
        },
        onData: (chunk) => handler.onResponseData?.(this, chunk),
        onEnd: () => {
          this.#end();
          handler.onResponseEnd?.(this, {});
        },
        onError: (error) => this.fail(error),
      },
    );
  }

  fail(error: Error): void {
    if (this.isOver) return;
    this.#sent?.abort();
    this.#end();
    this.#call.handler.onResponseError?.(this, error);
  }

  #end(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#call.ended();
  }
}

/** Cache of hosts by origin. There are only a few origins. */
const hosts = new Map<string, string>();

function hostOf(origin: string): string {
  const host = hosts.get(origin) ?? new URL(origin).host.toLowerCase();
  hosts.set(origin, host);
  return host;
}

function lowerCased(headers: Options["headers"]): Readonly<Record<string, string>> {
  if (headers === null || headers === undefined || Array.isArray(headers) || Symbol.iterator in headers) return {};
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
