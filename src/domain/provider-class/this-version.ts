/** Identities that synced Secrets support. Every other identity gets a clear refusal, never a different result. */
import { failed, ok, type Result } from "../result.ts";
import type { IdentityMode } from "./identity-mode.ts";
import type { ClassProblem } from "./problem.ts";

export type SupportedIdentity = Exclude<IdentityMode, { readonly kind: "podIdentity" }>;

export interface IdentitySupport {
  /** `--identity-bindings`: whether the API server of this AKS cluster exchanges tokens of ServiceAccounts. Default: false. */
  readonly identityBindings?: boolean | undefined;
}

const INSTEAD = "and set clientID to use workload identity. Mounted volumes are not affected";

/** Runs the last part of step 8 that needs only the class and the settings of the install. */
export function supportIdentity(
  identity: IdentityMode,
  { identityBindings = false }: IdentitySupport,
): Result<SupportedIdentity, ClassProblem> {
  switch (identity.kind) {
    case "podIdentity":
      return failed({
        reason: "IdentityUnavailable",
        message: "pod identity, which Azure has retired, is not supported for synced Secrets",
        field: "spec.parameters.usePodIdentity",
        hint: `remove usePodIdentity ${INSTEAD}`,
      });
    case "azureTokenProxy": {
      const problem = bindingProblem(identity.clientId, identityBindings);
      return problem === undefined ? ok(identity) : failed(problem);
    }
    case "servicePrincipal":
    case "workloadIdentity":
    case "managedIdentity":
      return ok(identity);
  }
}

function bindingProblem(clientId: string, isOn: boolean): ClassProblem | undefined {
  const remove = `remove useAzureTokenProxy ${INSTEAD}`;
  if (clientId === "") {
    const message = "failed to build auth config for mode AzureTokenProxy: clientID is required for identity binding";
    const hint = isOn ? "set clientID to the client id of the managed identity that is bound to the cluster" : remove;
    return { reason: "InvalidClass", message, field: "spec.parameters.clientID", hint };
  }
  if (isOn) return undefined;
  return {
    reason: "IdentityUnavailable",
    message: "AKS identity binding is not supported for synced Secrets while --identity-bindings is off",
    field: "spec.parameters.useAzureTokenProxy",
    hint:
      "on AKS with identity bindings, set --identity-bindings=true (chart: identityBindings: true; " +
      `kustomize: manifests/components/identity-bindings). Elsewhere ${remove}`,
  };
}
