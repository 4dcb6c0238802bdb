import { HttpsProxyAgent } from "https-proxy-agent";

import { proxyAnswered, proxyNotReached } from "./network-words.ts";
import { networkCode } from "./service-answer.ts";

type ConnectGiven = Parameters<HttpsProxyAgent<string>["connect"]>;

/** Opens tunnels through a proxy, and keeps each for the next request to its host, for at most `idleMs`. */
export class TunnelAgent extends HttpsProxyAgent<string> {
  constructor(proxy: URL, idleMs: number) {
    super(proxy, { keepAlive: true });
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
    const socket = await super.connect(request, options).catch((error: unknown) => {
      throw new ProxyFailure(proxyNotReached(networkCode(error) ?? "CLOSED"));
    });
    if (answered === 200) return socket;
    socket.destroy();
    throw new ProxyFailure(proxyAnswered(answered ?? 0));
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
