import { FEDERATION_AUDIENCE } from "../../domain/federation.ts";
import { RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { QueueError, type QueueIdentity, type QueueSetting } from "../../domain/ports/event-queue.ts";
import type { KubeClient, ReadResult } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { VaultIdentity } from "../../domain/ports/vault-identity.ts";
import { readServicePrincipal } from "../../domain/provider-class/service-principal.ts";
import { requestFederatedToken } from "../vault/find-identity.ts";

export interface QueueIdentityOptions {
  readonly kube: Pick<KubeClient, "read" | "requestToken">;
  /** Namespace of the install. */
  readonly namespace: string;
}

/**
 * Returns the identity with which the worker signs in at a queue. Rejects with a {@link QueueError}, or with the signal's reason. The code
 * is `Unreachable` if the API server does not return the Secret, for any reason but a missing permission.
 */
export async function findQueueIdentity(
  { kube, namespace }: QueueIdentityOptions,
  { url, identity }: Pick<QueueSetting, "url" | "identity">,
  signal: AbortSignal,
): Promise<VaultIdentity> {
  switch (identity.kind) {
    case "managed":
      return { kind: "managedIdentity", clientId: identity.clientId };
    case "workload":
      return workloadIdentity({ kube, namespace }, identity);
    case "servicePrincipal": {
      const { secretName: name } = identity;
      const found = await readSecret({ kube, namespace }, { url, name }, signal);
      const principal = readServicePrincipal(found.kind === "found" ? (found.object.data ?? {}) : undefined);
      if (principal.ok) return principal.value;
      const where =
        found.kind === "found" ? `${principal.error.field}: ${principal.error.hint}` : `it does not exist: ${principal.error.hint}`;
      throw new QueueError("IdentityUnavailable", `cannot sign in at ${url}: Secret ${namespace}/${name}: ${where}`, { kind: "backoff" });
    }
  }
}

async function readSecret(
  { kube, namespace }: QueueIdentityOptions,
  { url, name }: { readonly url: string; readonly name: string },
  signal: AbortSignal,
): Promise<ReadResult<Secret>> {
  try {
    return await kube.read<Secret>(RESOURCES.secrets, { namespace, name }, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const message = `cannot sign in at ${url}: ${error.message}`;
    if (error.code !== "Forbidden") throw new QueueError("Unreachable", message, error.retry);
    const remedy = `the ClusterRole keyvault-injector-sync must name it, as for --credentials-secret-names`;
    throw new QueueError("IdentityUnavailable", `${message}; ${remedy}`, { kind: "backoff" });
  }
}

function workloadIdentity(
  { kube, namespace }: QueueIdentityOptions,
  { clientId, account: given }: Extract<QueueIdentity, { readonly kind: "workload" }>,
): VaultIdentity {
  const account = { namespace: given.namespace ?? namespace, name: given.name };
  return {
    kind: "workloadIdentity",
    clientId,
    account,
    requestToken: (signal) => requestFederatedToken(kube, { account, audience: FEDERATION_AUDIENCE }, signal),
  };
}
