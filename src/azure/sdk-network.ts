import { Agent } from "node:https";
import { createSecureContext } from "node:tls";
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

/** The same for a direct connection: the SDK's own agent keeps it until the other side closes it (milliseconds). */
const IDLE_CONNECTION_MS = 30_000;

/**
 * Without a proxy directly, or as the SDK reads the environment. With one, the SDK is told which, and of NO_PROXY's exemptions: it knows `.example.com` and
 * full names itself, but neither `*`, ports, ranges, nor that `example.com` exempts what is below it. Tunnels are kept for the next
 * request to the same host: the SDK opens, and signs in TLS, a new one for each.
 * Their number is not limited here: a tunnel that hangs while it opens keeps its place whatever becomes of its request, and eight of those
 * would be the end of a host.
 */
export function sdkNetwork(proxy: OutboundProxy | undefined): SdkNetwork {
  const freshConnection = createFreshConnectionPolicy();
  const direct = directConnections();
  if (proxy === undefined) return { freshConnection, additionalPolicies: [agentPolicy(direct)] };
  const { url, isBypassed } = proxy;
  const tunnelled = new TunnelAgent(url, IDLE_TUNNEL_MS);
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
 * One TLS context for all: Node would make one for each connection, a fifth of what a handshake costs. It is made with the first request, since it
 * reads all CAs. What the SDK sends by a proxy of the environment has an agent. The emulators of storage speak HTTP, and keep the SDK's own.
 */
function directConnections(): AgentOf {
  let made: Agent | undefined;
  return ({ url, agent }) => {
    if (agent !== undefined || !url.startsWith("https:")) return agent;
    made ??= new Agent({
      keepAlive: true,
      timeout: IDLE_CONNECTION_MS,
      secureContext: createSecureContext(),
    });
    return made;
  };
}
