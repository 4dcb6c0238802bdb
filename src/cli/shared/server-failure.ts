import type { KubeError } from "../../domain/ports/kube-error.ts";

/** Words for error codes of the operating system and the network library. */
const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "its name cannot be resolved",
  EAI_AGAIN: "the DNS server does not answer",
  EHOSTUNREACH: "no route to the host",
  ETIMEDOUT: "timed out",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
  UND_ERR_SOCKET: "connection closed",
};

/** Returns Node's code for a failed connection, or its message if there is no code. */
function failureOf({ cause }: KubeError): string {
  const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: unknown }; // Used only if they are strings.
  return [code, message].find((said) => typeof said === "string") ?? "no answer in time";
}

/**
 * Explains a failure that concerns the server rather than the request. `server`: its address and context. Returns undefined if the API
 * server answered, or if the request was not sent.
 */
export function serverFailure(error: KubeError, server: string): string | undefined {
  const { status } = error;
  if (error.code !== "Unavailable" || (status !== undefined && !error.isForeign) || error.isUnsent) return undefined;
  const advice = "check the kubeconfig's server, or the network";
  if (status !== undefined) return `${server} answered with HTTP ${status}, but without the Status of a Kubernetes API server; ${advice}`;
  if (error.isForeign) return `${server} answered, but not as a Kubernetes API server (no Kubernetes object); ${advice}`;
  const code = failureOf(error);
  return `no answer from the API server ${server} (${NETWORK_WORDS[code] ?? code}); ${advice}`;
}
