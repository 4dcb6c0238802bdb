import { HttpsProxyAgent } from "https-proxy-agent";

import { proxyAnswered, proxyNotReached } from "./network-words.ts";
import { networkCode } from "./service-answer.ts";

type ConnectGiven = Parameters<HttpsProxyAgent<string>["connect"]>;

/** Tunnels through a proxy, each kept for the next request to its host, for as long as `idleMs` at most. */
export class TunnelAgent extends HttpsProxyAgent<string> {
  constructor(proxy: URL, idleMs: number) {
    super(proxy, { keepAlive: true });
    // `HttpsProxyAgent` overwrites the options of Node's agent, so that a `timeout` given to it is lost and idle tunnels stay open for ever.
    this.options = { ...this.options, timeout: idleMs };
  }

  /**
   * Everything of Azure is HTTPS. Left to itself the agent finds that out by the stack of its caller, which is another one when it puts a
   * tunnel back than when it looks for one: it would never find any.
   */
  override isSecureEndpoint(): boolean {
    return true;
  }

  /** What the proxy refuses is no answer of whom it was to reach, which the agent would pass it off as. */
  override async connect(...[request, options]: ConnectGiven): ReturnType<HttpsProxyAgent<string>["connect"]> {
    let answered: number | undefined;
    request.once("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
      answered = statusCode;
    });
    const socket = await super.connect(request, options).catch((error: unknown) => {
      throw new ProxyFailure(proxyNotReached(networkCode(error) ?? "CLOSED"));
    });
    if (answered === 200) return socket;
    socket.destroy();
    throw new ProxyFailure(proxyAnswered(answered ?? 0));
  }
}

/** The SDK keeps the code of an error below HTTP, and nothing else of it. */
class ProxyFailure extends Error {
  override readonly name = "ProxyFailure";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
