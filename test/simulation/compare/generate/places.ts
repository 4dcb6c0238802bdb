import type { Place } from "../operation.ts";

const core = (plural: string): Place => ({ group: "", version: "v1", plural });
const apps = (plural: string): Place => ({ group: "apps", version: "v1", plural });
const clusterWide = (group: string, plural: string): Place => ({ group, version: "v1", plural, isClusterScoped: true });

/** Places of all kinds that the comparison covers. */
export const PLACES = {
  secrets: core("secrets"),
  configMaps: core("configmaps"),
  pods: core("pods"),
  podTemplates: core("podtemplates"),
  serviceAccounts: core("serviceaccounts"),
  services: core("services"),
  events: core("events"),
  namespaces: clusterWide("", "namespaces"),
  controllerRevisions: apps("controllerrevisions"),
  deployments: apps("deployments"),
  statefulSets: apps("statefulsets"),
  daemonSets: apps("daemonsets"),
  replicaSets: apps("replicasets"),
  leases: { group: "coordination.k8s.io", version: "v1", plural: "leases" },
  budgets: { group: "policy", version: "v1", plural: "poddisruptionbudgets" },
  roles: { group: "rbac.authorization.k8s.io", version: "v1", plural: "roles" },
  roleBindings: { group: "rbac.authorization.k8s.io", version: "v1", plural: "rolebindings" },
  clusterRoles: clusterWide("rbac.authorization.k8s.io", "clusterroles"),
  clusterRoleBindings: clusterWide("rbac.authorization.k8s.io", "clusterrolebindings"),
  mutatingWebhooks: clusterWide("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
  validatingWebhooks: clusterWide("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
  policies: clusterWide("admissionregistration.k8s.io", "validatingadmissionpolicies"),
  policyBindings: clusterWide("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
  priorityClasses: clusterWide("scheduling.k8s.io", "priorityclasses"),
  csiDrivers: clusterWide("storage.k8s.io", "csidrivers"),
  definitions: clusterWide("apiextensions.k8s.io", "customresourcedefinitions"),
} as const satisfies Record<string, Place>;

export type PlaceName = keyof typeof PLACES;

const KINDS: Readonly<Record<string, string>> = {
  secrets: "Secret",
  configmaps: "ConfigMap",
  pods: "Pod",
  podtemplates: "PodTemplate",
  serviceaccounts: "ServiceAccount",
  services: "Service",
  events: "Event",
  namespaces: "Namespace",
  controllerrevisions: "ControllerRevision",
  deployments: "Deployment",
  statefulsets: "StatefulSet",
  daemonsets: "DaemonSet",
  replicasets: "ReplicaSet",
  leases: "Lease",
  poddisruptionbudgets: "PodDisruptionBudget",
  roles: "Role",
  rolebindings: "RoleBinding",
  clusterroles: "ClusterRole",
  clusterrolebindings: "ClusterRoleBinding",
  mutatingwebhookconfigurations: "MutatingWebhookConfiguration",
  validatingwebhookconfigurations: "ValidatingWebhookConfiguration",
  validatingadmissionpolicies: "ValidatingAdmissionPolicy",
  validatingadmissionpolicybindings: "ValidatingAdmissionPolicyBinding",
  priorityclasses: "PriorityClass",
  csidrivers: "CSIDriver",
  customresourcedefinitions: "CustomResourceDefinition",
  secretproviderclasses: "SecretProviderClass",
  secretproviderclasssyncs: "SecretProviderClassSync",
};

export function typeOf({ group, version, plural }: Place): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: group === "" ? version : `${group}/${version}`, kind: KINDS[plural] ?? plural };
}
