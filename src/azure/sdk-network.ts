import { Agent } from "node:https";
import type { SecretClientOptions } from "@azure/keyvault-secrets";
import { HttpsProxyAgent } from "https-proxy-agent";

import type { OutboundProxy } from "../runtime/outbound-proxy.ts";

/** A step of ours between the SDK and the network. */
export type AdditionalPolicy = NonNullable<SecretClientOptions["additionalPolicies"]>[number];

/** How the clients of the SDK, those for tokens included, reach the world. */
export type SdkNetwork = Pick<SecretClientOptions, "proxyOptions"> & {
  readonly additionalPolicies: AdditionalPolicy[];
};

/** A tunnel that nobody has used for so long is closed: something on the way may have forgotten it already (milliseconds). */
const IDLE_TUNNEL_MS = 30_000;

/**
 * Everything of Azure is HTTPS. Left to itself the agent finds that out by the stack of its caller, which is another one when it puts a
 * tunnel back than when it looks for one: it would never find any.
 */
class TunnelAgent extends HttpsProxyAgent<string> {
  override isSecureEndpoint(): boolean {
    return true;
  }
}

/**
 * Without a proxy the SDK's own way. With one, the SDK is told which, and of NO_PROXY's exemptions: it knows `.example.com` and
 * full names itself, but neither `*`, ports, ranges, nor that `example.com` exempts what is below it. Tunnels are kept for the next
 * request to the same host: the SDK opens, and signs in TLS, a new one for each.
 * Their number is not limited here: a tunnel that hangs while it opens keeps its place whatever becomes of its request, and eight of those
 * would be the end of a host.
 */
export function sdkNetwork(proxy: OutboundProxy | undefined): SdkNetwork {
  if (proxy === undefined) return { additionalPolicies: [] };
  const { url, isBypassed } = proxy;
  const direct = new Agent({ keepAlive: true });
  const tunnelled = new TunnelAgent(url, { keepAlive: true, timeout: IDLE_TUNNEL_MS });
  const port = Number(url.port !== "" ? url.port : url.protocol === "https:" ? "443" : "80");
  return {
    proxyOptions: {
      host: `${url.protocol}//${url.hostname}`,
      port,
      ...(url.username === "" ? {} : { username: url.username, password: url.password }),
    },
    additionalPolicies: [
      {
        position: "perCall",
        policy: {
          name: "outboundProxyPolicy",
          // Comes after the SDK's own proxy policy and before the connection.
          sendRequest: (request, next) => {
            request.agent = isBypassed(new URL(request.url)) ? direct : tunnelled;
            return next(request);
          },
        },
      },
    ],
  };
}
