import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { FEDERATION_AUDIENCE } from "../../domain/federation.ts";
import { accountRefusal, NO_GRANTS } from "../../domain/grants/namespace-grants.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { WorkloadIdentity } from "../../domain/ports/vault-identity.ts";
import type { Sensitive } from "../../domain/sensitive.ts";

/** The least that the API server takes: the token is exchanged at once and not kept. The policy of the install allows no more. */
const EXPIRATION_SECONDS = 600;

type Account = WorkloadIdentity["account"];

/** A token of the account that Entra exchanges. Rejects with a `VaultError` that says what is missing, or with the signal's reason. */
export async function requestFederatedToken(kube: KubeClient, account: Account, signal: AbortSignal): Promise<Sensitive> {
  try {
    return await kube.requestToken(account, { audience: FEDERATION_AUDIENCE, expirationSeconds: EXPIRATION_SECONDS }, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const isAbsent = error.code === "NotFound";
    throw new VaultError("IdentityUnavailable", explain(error, account), {
      retry: isAbsent || error.isByPolicy(POLICY) ? { kind: "backoff" } : error.retry,
      origin: isAbsent || error.isByPolicy(POLICY) ? "class" : "apiServer",
    });
  }
}

/** The policy reads the Namespace itself: a grant may have been taken back since the worker saw it. */
const POLICY = "keyvault-injector-sync-tokens";

function explain(error: KubeError, account: Account): string {
  const { namespace, name } = account;
  if (error.isByPolicy(POLICY)) return accountRefusal(NO_GRANTS, account) ?? error.message;
  if (error.code !== "NotFound") return `no token of the ServiceAccount ${name}: ${error.message}`;
  return `there is no ServiceAccount ${name} in the namespace ${namespace}; create it, or name another one in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class`;
}
