import { Agent } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import type { SecretClientOptions } from "@azure/keyvault-secrets";
import { lazily } from "../runtime/lazily.ts";
import type { OutboundProxy } from "../runtime/outbound-proxy.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";
import { createFreshConnectionPolicy } from "./fresh-connection.ts";
import { TunnelAgent } from "./tunnel-agent.ts";

/** Network access of the SDK's clients, including those for tokens. */
export type SdkNetwork = Pick<SecretClientOptions, "proxyOptions"> & {
  readonly additionalPolicies: AdditionalPolicy[];
  /** Repeats a request whose connection was reset. It is the innermost step. All clients share it, so that they count together. */
  readonly freshConnection: AdditionalPolicy;
};

/** Time in milliseconds after which an unused tunnel is closed: a device on the path may have dropped it already. */
const IDLE_TUNNEL_MS = 30_000;

/** The same for a direct connection: the SDK's own agent keeps it until the other side closes it (milliseconds). */
const IDLE_CONNECTION_MS = 30_000;

/**
 * Returns direct network access if `proxy` is absent, or as the SDK reads the environment. Otherwise gives the proxy to the SDK, and
 * applies the exemptions of NO_PROXY: the SDK itself knows `.example.com` and full names, but not `*`, ports, ranges, or that `example.com`
 * also exempts its subdomains. Keeps tunnels for the next request to the same host: the SDK opens a new one for each request, with a TLS
 * handshake. The number of tunnels is not limited here: a tunnel that hangs while it opens keeps its place for half a
 * minute, whatever happens to its request, and eight of those would block a host.
 */
export function sdkNetwork(proxy: OutboundProxy | undefined): SdkNetwork {
  const freshConnection = createFreshConnectionPolicy();
  // Node would create a context for each connection, which is a fifth of the cost of a handshake and tens of kilobytes. Reads all CAs.
  const secureContext = lazily(() => createSecureContext());
  const direct = directConnections(secureContext);
  if (proxy === undefined) return { freshConnection, additionalPolicies: [agentPolicy(direct)] };
  const { url, isBypassed } = proxy;
  const tunnelled = new TunnelAgent(url, { idleMs: IDLE_TUNNEL_MS, secureContext });
  const port = Number(url.port !== "" ? url.port : url.protocol === "https:" ? "443" : "80");
  return {
    freshConnection,
    proxyOptions: {
      host: `${url.protocol}//${url.hostname}`,
      port,
      ...(url.username === "" ? {} : { username: url.username, password: url.password }),
    },
    // Comes after the SDK's own proxy policy and before the connection.
    additionalPolicies: [agentPolicy((request) => (isBypassed(new URL(request.url)) ? direct({ url: request.url }) : tunnelled))],
  };
}

type Request = Parameters<AdditionalPolicy["policy"]["sendRequest"]>[0];
type AgentOf = (request: Pick<Request, "url" | "agent">) => Request["agent"];

function agentPolicy(agentOf: AgentOf): AdditionalPolicy {
  return {
    position: "perCall",
    policy: {
      name: "connectionPolicy",
      sendRequest: (request, next) => {
        const agent = agentOf(request);
        if (agent !== undefined) request.agent = agent;
        return next(request);
      },
    },
  };
}

/**
 * A request that the SDK sends through a proxy of the environment already has an agent. The emulators of storage use HTTP, and keep the
 * SDK's own agent.
 */
function directConnections(secureContext: () => SecureContext): AgentOf {
  const agent = lazily(() => new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS, secureContext: secureContext() }));
  return ({ url, agent: given }) => (given !== undefined || !url.startsWith("https:") ? given : agent());
}
