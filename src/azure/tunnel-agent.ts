import type { SecureContext } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";

import { within } from "../runtime/lifecycle.ts";
import { proxyAnswered, proxyNotReached } from "./network-words.ts";
import { networkCode } from "./service-answer.ts";

type ConnectGiven = Parameters<HttpsProxyAgent<string>["connect"]>;

/** Longer than any request waits (milliseconds). */
const OPENING_MS = 30_000;

export interface TunnelOptions {
  /** Time in milliseconds after which an unused tunnel is closed. */
  readonly idleMs: number;
  /** TLS context of all tunnels. Asked for with the first tunnel. */
  readonly secureContext: () => SecureContext;
  /** Time limit for the proxy's response, in milliseconds. Default: 30,000. */
  readonly openingMs?: number;
}

/** Opens tunnels through a proxy, and keeps each for the next request to its host. */
export class TunnelAgent extends HttpsProxyAgent<string> {
  readonly #openingMs: number;
  readonly #secureContext: () => SecureContext;

  constructor(proxy: URL, { idleMs, secureContext, openingMs = OPENING_MS }: TunnelOptions) {
    super(proxy, { keepAlive: true });
    this.#openingMs = openingMs;
    this.#secureContext = secureContext;
    // `HttpsProxyAgent` overwrites the options of Node's agent, so a `timeout` given to it is lost and idle tunnels stay open forever.
    this.options = { ...this.options, timeout: idleMs };
  }

  /**
   * Every Azure service uses HTTPS. By default, the agent determines this from its caller's stack, which is different when it returns a
   * tunnel than when it searches for one: it would never find any.
   */
  override isSecureEndpoint(): boolean {
    return true;
  }

  /** Throws if the proxy refuses: the agent would present the proxy's response as the destination's. */
  override async connect(...[request, options]: ConnectGiven): ReturnType<HttpsProxyAgent<string>["connect"]> {
    let answered: number | undefined;
    request.once("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
      answered = statusCode;
    });
    // The end of the request does not close the connection to the proxy, because the request gets a socket only once the tunnel is open.
    const limit = { milliseconds: this.#openingMs, outer: undefined, tooLate: () => new Error("no answer") };
    const tunnelOptions = { ...options, secureContext: this.#secureContext() };
    const socket = await within(limit, (signal) =>
      super.connect.call(this.#openingWith(signal), request, tunnelOptions).catch((error: unknown) => {
        throw new ProxyFailure(proxyNotReached(signal.aborted ? "ETIMEDOUT" : (networkCode(error) ?? "CLOSED")));
      }),
    );
    if (answered === 200) return socket;
    socket.destroy();
    throw new ProxyFailure(proxyAnswered(answered ?? 0));
  }

  /** Returns this agent with an option for the connection to the proxy: the connection is destroyed when the signal aborts. */
  #openingWith(signal: AbortSignal): this {
    return Object.create(this, { connectOpts: { value: { ...this.connectOpts, signal } } });
  }
}

/** The SDK keeps only the code of an error below HTTP. */
class ProxyFailure extends Error {
  override readonly name = "ProxyFailure";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
