/** What upstream can do and this version cannot yet: a clear refusal, never a different result. */
import { failed, ok, type Result } from "../result.ts";
import type { IdentityMode } from "./identity-mode.ts";
import { type ClassObject, objectFailure } from "./object-rules.ts";
import type { ClassProblem } from "./problem.ts";

export type SupportedIdentity = Extract<IdentityMode, { readonly kind: "servicePrincipal" }>;

export interface SupportedObject extends ClassObject {
  readonly type: "secret";
}

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

const UNSUPPORTED_TYPES = { key: "objects of type key are", cert: "objects of type cert are" } as const;

export function supportObject(object: ClassObject, index: number): Result<SupportedObject, ClassProblem> {
  const refuse = (key: string, what: string, hint: string) =>
    failed<ClassProblem>({
      reason: "InvalidObject",
      message: objectFailure(object, `${what} not supported by this version for synced Secrets`),
      field: `spec.parameters.objects[${index}].${key}`,
      hint,
    });
  const separately = "move the object to a class of its own that is only mounted";
  if (object.type !== "secret") return refuse("objectType", UNSUPPORTED_TYPES[object.type], separately);
  if (object.history > 1)
    return refuse("objectVersionHistory", "more than one version is", `remove objectVersionHistory, or ${separately}`);
  return ok({ ...object, type: object.type });
}
