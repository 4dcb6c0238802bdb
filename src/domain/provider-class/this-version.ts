/** Identities that only a pod's mount can use: a clear refusal, never a different result. */
import { failed, ok, type Result } from "../result.ts";
import type { IdentityMode } from "./identity-mode.ts";
import type { ClassProblem } from "./problem.ts";

export type SupportedIdentity = Extract<IdentityMode, { readonly kind: "servicePrincipal" | "workloadIdentity" | "managedIdentity" }>;

const INSTEAD = "and set clientID, which is workload identity. Mounted volumes are not affected";

/** The last part of step 8 that needs nothing but the class. */
export function supportIdentity(identity: IdentityMode): Result<SupportedIdentity, ClassProblem> {
  switch (identity.kind) {
    case "podIdentity":
      return failed({
        reason: "IdentityUnavailable",
        message: "pod identity, which Azure has retired, is not supported for synced Secrets",
        field: "spec.parameters.usePodIdentity",
        hint: `remove usePodIdentity ${INSTEAD}`,
      });
    case "azureTokenProxy":
      return failed(refuseTokenProxy(identity.clientId));
    case "servicePrincipal":
    case "workloadIdentity":
    case "managedIdentity":
      return ok(identity);
  }
}

function refuseTokenProxy(clientId: string): ClassProblem {
  const hint = `synced Secrets cannot use AKS identity binding: remove useAzureTokenProxy ${INSTEAD}`;
  if (clientId === "") {
    const message = "failed to build auth config for mode AzureTokenProxy: clientID is required for identity binding";
    return { reason: "InvalidClass", message, field: "spec.parameters.clientID", hint };
  }
  const message = "AKS identity binding is not supported for synced Secrets";
  return { reason: "IdentityUnavailable", message, field: "spec.parameters.useAzureTokenProxy", hint };
}
