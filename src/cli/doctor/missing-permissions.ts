import { AUTHORITY_SECRET } from "../../domain/certificates/names.ts";
import { OWNER_RESOURCES } from "../../domain/gateways/owner-kinds.ts";
import { OWN_DEPLOYMENT, WEBHOOK_DEPLOYMENT } from "../../domain/healing/components.ts";
import { RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import { toYaml } from "../manifest/yaml.ts";
import { MORE_RESOURCES } from "../shared/resources.ts";
import type { RefusedReading } from "../shared/viewer.ts";

/**
 * Kinds other than Secrets that `doctor` gets or lists. If the API server refuses the first kind of a check, the check does not request the
 * next, so an administrator who grants only the refused kinds grants too little.
 */
export const READ_KINDS: readonly Resource[] = [
  RESOURCES.namespaces,
  RESOURCES.pods,
  RESOURCES.serviceAccounts,
  RESOURCES.controllerRevisions,
  RESOURCES.leases,
  RESOURCES.podDisruptionBudgets,
  RESOURCES.csiDrivers,
  RESOURCES.roles,
  RESOURCES.roleBindings,
  RESOURCES.clusterRoles,
  RESOURCES.clusterRoleBindings,
  RESOURCES.customResourceDefinitions,
  RESOURCES.mutatingWebhookConfigurations,
  RESOURCES.validatingWebhookConfigurations,
  RESOURCES.validatingAdmissionPolicies,
  RESOURCES.validatingAdmissionPolicyBindings,
  RESOURCES.secretProviderClasses,
  RESOURCES.secretProviderClassPodStatuses,
  RESOURCES.secretProviderClassSyncs,
  MORE_RESOURCES.nodes,
  MORE_RESOURCES.csiNodes,
  MORE_RESOURCES.deployments,
  MORE_RESOURCES.statefulSets,
  MORE_RESOURCES.daemonSets,
  MORE_RESOURCES.mutatingPolicies,
  MORE_RESOURCES.mutatingPolicyBindings,
  OWNER_RESOURCES.Gateway,
  OWNER_RESOURCES.Ingress,
  MORE_RESOURCES.gatewayClasses,
  MORE_RESOURCES.ingressClasses,
];

/** RBAC rule that grants what the API server refused. */
export interface MissingRule {
  /** Absent: the whole cluster. */
  readonly namespace?: string;
  readonly apiGroups: readonly [string];
  readonly resources: readonly string[];
  /** Names of Secrets: no check of an install needs all Secrets. */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * Returns the rules to ask for, once for all refusals: all kinds, by API group, if the API server refused one of them, and Secrets by name.
 * Never includes the CA's Secret: anyone who reads it has the private key that the API server trusts.
 */
export function missingRules(refusals: readonly RefusedReading[]): readonly MissingRule[] {
  const [secrets, others] = [refusals.filter(isOfSecrets), refusals.filter((refusal) => !isOfSecrets(refusal))];
  const asked = others.length === 0 ? [] : [...others.map(({ resource }) => resource), ...READ_KINDS];
  const byGroup = Map.groupBy(asked, ({ group }) => group);
  const kinds = [...byGroup].sort(byKey).map(
    ([group, those]): MissingRule => ({
      apiGroups: [group],
      resources: sortedOnce(those.map(({ plural }) => plural)),
      verbs: ["get", "list"],
    }),
  );
  const named = secrets.flatMap(({ ref: { namespace, name } }) =>
    namespace === undefined || name === undefined || name === AUTHORITY_SECRET ? [] : [{ namespace, name }],
  );
  const byNamespace = Map.groupBy(named, ({ namespace }) => namespace);
  const ofSecrets = [...byNamespace].sort(byKey).map(
    ([namespace, those]): MissingRule => ({
      namespace,
      apiGroups: [""],
      resources: ["secrets"],
      resourceNames: sortedOnce(those.map(({ name }) => name)),
      verbs: ["get"],
    }),
  );
  return [...kinds, ...ofSecrets];
}

/**
 * Whether the user is one of the install's own accounts, as in a pod of the install. They must not get the permissions that `doctor` lacks:
 * everything that runs in their pods would have them, too.
 */
export function isInstallAccount(user: string | undefined, namespace: string): boolean {
  return [OWN_DEPLOYMENT, WEBHOOK_DEPLOYMENT].some((name) => user === `system:serviceaccount:${namespace}:${name}`);
}

function isOfSecrets({ resource }: RefusedReading): boolean {
  return resource.plural === "secrets";
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function sortedOnce(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

const ROLE = "keyvault-injector-doctor";
const RBAC_GROUP = "rbac.authorization.k8s.io";

/**
 * Returns manifests for `kubectl apply -f -`: roles with the rules, bound to the user. A rule may name a kind that the API server does not
 * serve. `user`: user name that the API server sees; undefined: unknown.
 */
export function permissionsYaml(rules: readonly MissingRule[], user: string | undefined): string {
  const ofCluster = rules.filter(({ namespace }) => namespace === undefined);
  const ofNamespaces = rules.flatMap(({ namespace, ...rule }) => (namespace === undefined ? [] : [{ namespace, rule }]));
  const objects = [
    ...(ofCluster.length === 0 ? [] : boundRole(ofCluster, subjectOf(user), undefined)),
    ...ofNamespaces.flatMap(({ namespace, rule }) => boundRole([rule], subjectOf(user), namespace)),
  ];
  return objects.map(toYaml).join("---\n");
}

function subjectOf(user: string | undefined): object {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user ?? "") ?? [];
  return name === undefined ? { apiGroup: RBAC_GROUP, kind: "User", name: user ?? "NAME" } : { kind: "ServiceAccount", namespace, name };
}

/** `namespace`: undefined for the whole cluster. */
function boundRole(rules: readonly MissingRule[], subject: object, namespace: string | undefined): readonly object[] {
  const prefix = namespace === undefined ? "Cluster" : "";
  const [apiVersion, metadata] = [`${RBAC_GROUP}/v1`, { name: ROLE, ...(namespace === undefined ? {} : { namespace }) }];
  const roleRef = { apiGroup: RBAC_GROUP, kind: `${prefix}Role`, name: ROLE };
  return [
    { apiVersion, kind: `${prefix}Role`, metadata, rules },
    { apiVersion, kind: `${prefix}RoleBinding`, metadata, roleRef, subjects: [subject] },
  ];
}
