/** What upstream can do and this version cannot yet: a clear refusal, never a different result. */
import { failed, ok, type Result } from "../result.ts";
import type { IdentityMode } from "./identity-mode.ts";
import type { ClassProblem } from "./problem.ts";

export type SupportedIdentity = Extract<IdentityMode, { readonly kind: "servicePrincipal" }>;

const IDENTITY_WORDS: Readonly<Record<Exclude<IdentityMode["kind"], "servicePrincipal">, { readonly name: string; readonly key: string }>> =
  {
    workloadIdentity: { name: "workload identity", key: "clientID" },
    managedIdentity: { name: "managed identity", key: "useVMManagedIdentity" },
    podIdentity: { name: "pod identity", key: "usePodIdentity" },
    azureTokenProxy: { name: "identity binding", key: "useAzureTokenProxy" },
  };

export function supportIdentity(identity: IdentityMode): Result<SupportedIdentity, ClassProblem> {
  if (identity.kind === "servicePrincipal") return ok(identity);
  const { name, key } = IDENTITY_WORDS[identity.kind];
  return failed({
    reason: "IdentityUnavailable",
    message: `${name} is not supported by this version for synced Secrets`,
    field: `spec.parameters.${key}`,
    hint: "use a service principal: remove the parameter and keep clientid and clientsecret in a Secret. Mounted volumes are not affected",
  });
}
