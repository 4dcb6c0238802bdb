import { Agent } from "node:https";
import type { SecretClientOptions } from "@azure/keyvault-secrets";

import type { OutboundProxy } from "../runtime/outbound-proxy.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";
import { createFreshConnectionPolicy } from "./fresh-connection.ts";
import { TunnelAgent } from "./tunnel-agent.ts";

/** How the clients of the SDK, those for tokens included, reach the world. */
export type SdkNetwork = Pick<SecretClientOptions, "proxyOptions"> & {
  readonly additionalPolicies: AdditionalPolicy[];
  /** Sends a request again whose connection was reset: the innermost step, the same for all clients, which count together. */
  readonly freshConnection: AdditionalPolicy;
};

/** A tunnel that nobody has used for so long is closed: something on the way may have forgotten it already (milliseconds). */
const IDLE_TUNNEL_MS = 30_000;

/**
 * Without a proxy the SDK's own way. With one, the SDK is told which, and of NO_PROXY's exemptions: it knows `.example.com` and
 * full names itself, but neither `*`, ports, ranges, nor that `example.com` exempts what is below it. Tunnels are kept for the next
 * request to the same host: the SDK opens, and signs in TLS, a new one for each.
 * Their number is not limited here: a tunnel that hangs while it opens keeps its place whatever becomes of its request, and eight of those
 * would be the end of a host.
 */
export function sdkNetwork(proxy: OutboundProxy | undefined): SdkNetwork {
  const freshConnection = createFreshConnectionPolicy();
  if (proxy === undefined) return { additionalPolicies: [], freshConnection };
  const { url, isBypassed } = proxy;
  const direct = new Agent({ keepAlive: true });
  const tunnelled = new TunnelAgent(url, IDLE_TUNNEL_MS);
  const port = Number(url.port !== "" ? url.port : url.protocol === "https:" ? "443" : "80");
  return {
    freshConnection,
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
