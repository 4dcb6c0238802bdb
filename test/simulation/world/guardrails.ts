/** What the cluster lets the worker do: the shipped policies, and the rights of an install that reads no Secrets. */
import type { Admission, AdmissionRequest, Authorizer } from "../api/interface.ts";
import { admissionBy, NAMESPACE, WORKER } from "../api/policies.ts";

/** By which the worker's attempts at what is forbidden are known. */
const PROBE = "keyvault-injector-guardrail-probe";

/** Of the policies that {@link admissionBy} does not have, what the worker tries; what else they forbid is not asked here. */
function probed({ resource, name, object }: AdmissionRequest): string | undefined {
  switch (resource) {
    case "secretproviderclasses":
      return name === PROBE ? "class-identities" : "sync-classes";
    case "services":
      return "sync-components";
    case "customresourcedefinitions":
      return "sync-definitions";
    case "mutatingwebhookconfigurations":
      return "sync-webhooks";
    case "deployments":
    case "daemonsets": {
      const { finalizers = [] } = (object?.["metadata"] ?? {}) as { finalizers?: readonly string[] };
      return finalizers.length > 0 ? "sync-workloads" : "sync-pods";
    }
    default:
      return undefined;
  }
}

export function guarded(): Admission {
  const shipped = admissionBy();
  return (request) => {
    // No Namespace of a world grants its accounts: the worker asks for a token of its own alone, on purpose.
    if (request.user === WORKER && request.resource === "serviceaccounts" && request.namespace === NAMESPACE) return denied("sync-tokens");
    const isProbe = request.user === WORKER && request.isDryRun && JSON.stringify(request.object ?? {}).includes(PROBE);
    const policy = isProbe ? probed(request) : undefined;
    return policy === undefined ? shipped(request) : denied(policy);
  };
}

function denied(policy: string): string {
  const name = `keyvault-injector-${policy}`;
  return `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: it is tried on purpose`;
}

/** Credentials of classes, and the worker's own key. */
const READABLE = new Set(["secrets-store-creds", "keyvault-injector-sync-key"]);

/** `--secret-access=blind`: no Secret is listed or watched, and none read but these. */
export const BLIND_RIGHTS: Authorizer = ({ user, group, resource, verb, name = "" }) => {
  if (user !== WORKER || group !== "" || resource !== "secrets") return true;
  if (verb === "list" || verb === "watch") return false;
  return verb !== "get" || READABLE.has(name);
};
