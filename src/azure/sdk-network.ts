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

/**
 * Connections to one host at a time; more requests wait for one. A TLS connection costs milliseconds of CPU and tens of kilobytes that
 * the process does not give back, and eight carry a vault's whole budget at 20 ms a request. One that nobody has used for half a minute
 * is closed: something on the way may have forgotten it already.
 */
const POOL = { keepAlive: true, maxSockets: 8, timeout: 30_000 } as const;

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
 * With a proxy, the SDK is told which, and of NO_PROXY's exemptions: it knows `.example.com` and full names itself, but neither `*`,
 * ports, ranges, nor that `example.com` exempts what is below it. Connections are kept for the next request to the same host, and are
 * few: the SDK opens, and signs in TLS, a new tunnel for each request, and without a proxy as many connections as there are requests.
 */
export function sdkNetwork(proxy: OutboundProxy | undefined): SdkNetwork {
  const direct = new Agent(POOL);
  // What has an agent already goes by a proxy that the SDK has found itself.
  if (proxy === undefined) return { additionalPolicies: [policyOf((request) => (request.agent ??= direct))] };
  const { url, isBypassed } = proxy;
  const tunnelled = new TunnelAgent(url, POOL);
  const port = Number(url.port !== "" ? url.port : url.protocol === "https:" ? "443" : "80");
  return {
    proxyOptions: {
      host: `${url.protocol}//${url.hostname}`,
      port,
      ...(url.username === "" ? {} : { username: url.username, password: url.password }),
    },
    additionalPolicies: [policyOf((request) => (request.agent = isBypassed(new URL(request.url)) ? direct : tunnelled))],
  };
}

/** Comes after the SDK's own proxy policy and before the connection. */
function policyOf(choose: (request: Parameters<AdditionalPolicy["policy"]["sendRequest"]>[0]) => void): AdditionalPolicy {
  return {
    position: "perCall",
    policy: {
      name: "connectionPolicy",
      sendRequest: (request, next) => {
        choose(request);
        return next(request);
      },
    },
  };
}
