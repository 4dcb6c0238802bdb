import { Agent } from "node:https";
import type { SecretClientOptions } from "@azure/keyvault-secrets";

import type { OutboundProxy } from "../runtime/outbound-proxy.ts";

/** A step of ours between the SDK and the network. */
export type AdditionalPolicy = NonNullable<SecretClientOptions["additionalPolicies"]>[number];

/** How the clients of the SDK, those for tokens included, reach the world. */
export type SdkNetwork = Pick<SecretClientOptions, "proxyOptions"> & {
  readonly additionalPolicies: AdditionalPolicy[];
};

/**
 * Without a proxy the SDK's own way. With one, the SDK is told which, and of NO_PROXY's exemptions: it knows `.example.com` and
 * full names itself, but neither `*`, ports, ranges, nor that `example.com` exempts what is below it.
 */
export function sdkNetwork(proxy: OutboundProxy | undefined): SdkNetwork {
  if (proxy === undefined) return { additionalPolicies: [] };
  const { url, isBypassed } = proxy;
  const direct = new Agent({ keepAlive: true });
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
          name: "noProxyPolicy",
          // Comes after the SDK's own proxy policy and before the connection.
          sendRequest: (request, next) => {
            if (isBypassed(new URL(request.url))) request.agent = direct;
            return next(request);
          },
        },
      },
    ],
  };
}
