import { RESOURCES } from "../../../src/domain/kubernetes.ts";
import { deleted, merged, patched } from "./operations.ts";
import type { Damage } from "./table.ts";

const named = (resource: Damage["target"]["resource"], name: string): Damage["target"] => ({ resource, name });
const own = (resource: Damage["target"]["resource"], name: string): Damage["target"] => ({
  resource,
  namespace: "keyvault-injector",
  name,
});

/** Damage to the objects that grant rights to the product, or limit them. The last one removes the worker's own rights. */
export const RIGHTS_DAMAGES: readonly Damage[] = [
  {
    target: named(RESOURCES.clusterRoles, "keyvault-injector-webhook"),
    operation: patched({ op: "replace", path: "/rules/0/verbs", value: ["get"] }),
  },
  { target: named(RESOURCES.clusterRoleBindings, "keyvault-injector-webhook"), operation: deleted },
  { target: own(RESOURCES.roles, "keyvault-injector-webhook"), operation: deleted },
  { target: own(RESOURCES.roleBindings, "keyvault-injector-webhook"), operation: deleted },
  {
    target: named(RESOURCES.validatingAdmissionPolicies, "keyvault-injector-sync-tokens"),
    operation: merged({ spec: { failurePolicy: "Ignore" } }),
  },
  { target: named(RESOURCES.validatingAdmissionPolicyBindings, "keyvault-injector-sync-secrets"), operation: deleted },
  {
    target: named(RESOURCES.namespaces, "keyvault-injector"),
    operation: merged({ metadata: { labels: { "pod-security.kubernetes.io/enforce-version": "v1.30" } } }),
  },
  { target: named(RESOURCES.clusterRoleBindings, "keyvault-injector-components"), operation: deleted },
];
