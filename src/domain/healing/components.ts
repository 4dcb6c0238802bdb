import { apiVersionOf, type KubeObject, type ObjectRef, RESOURCES, type Resource } from "../kubernetes.ts";
import { WORKLOADS } from "../rollout/workload-kinds.ts";

/** An object of the install that the worker monitors. */
export interface Component {
  /** `Kind namespace/name`, or `Kind name`, as in queues, copies, logs and events. */
  readonly id: string;
  readonly resource: Resource;
  readonly ref: ObjectRef;
  /**
   * `healed`: the worker repairs it. `reported`: the worker only reports damage, because it must not write its own rights and limits.
   * `crd`: the worker keeps a copy for CRD healing.
   */
  readonly treatment: "healed" | "reported" | "crd";
  /** Whether it is part of the node side, which someone else may have installed. The worker monitors it only if it has permission. */
  readonly isNodeSide: boolean;
  /** Whether it is part of the webhook. An install that injects with policies has no webhook. */
  readonly isWebhook: boolean;
}

/** The worker's own Deployment and ServiceAccount. */
export const OWN_DEPLOYMENT = "keyvault-injector-sync";

/** Namespace in which the manifests install the CSI driver and the Azure provider. */
export const NODE_NAMESPACE = "kube-system";

const PART_OF = ["app.kubernetes.io/name", "app.kubernetes.io/part-of"] as const;
const PRODUCT = "keyvault-injector";

interface Named {
  readonly resource: Resource;
  readonly names: readonly string[];
}

const NODE_SIDE: readonly Named[] = [
  { resource: RESOURCES.csiDrivers, names: ["secrets-store.csi.k8s.io"] },
  {
    resource: WORKLOADS.DaemonSet,
    names: [
      "csi-secrets-store",
      "csi-secrets-store-provider-azure",
      "csi-secrets-store-windows",
      "csi-secrets-store-provider-azure-windows",
    ],
  },
  { resource: RESOURCES.serviceAccounts, names: ["secrets-store-csi-driver", "csi-secrets-store-provider-azure"] },
];

/** Name of the webhook's Deployment, and of its ServiceAccount and Service. */
export const WEBHOOK_DEPLOYMENT = "keyvault-injector-webhook";
const BOTH = [OWN_DEPLOYMENT, WEBHOOK_DEPLOYMENT];

const HEALED: readonly Named[] = [
  { resource: RESOURCES.priorityClasses, names: ["keyvault-injector"] },
  { resource: RESOURCES.serviceAccounts, names: BOTH },
  { resource: RESOURCES.services, names: [WEBHOOK_DEPLOYMENT] },
  { resource: WORKLOADS.Deployment, names: BOTH },
  { resource: RESOURCES.podDisruptionBudgets, names: BOTH },
  { resource: RESOURCES.mutatingWebhookConfigurations, names: ["keyvault-injector"] },
  { resource: RESOURCES.validatingWebhookConfigurations, names: ["keyvault-injector"] },
];

const CLUSTER_ROLES = [...BOTH, "keyvault-injector-components", "keyvault-injector-instance"];

/** Policies that limit the writes of the webhook's account. An install without the webhook does not have them. */
export const WEBHOOK_POLICIES: readonly string[] = ["keyvault-injector-webhook-configuration", "keyvault-injector-webhook-secrets"];

const POLICIES = [
  "keyvault-injector-class-authors",
  "keyvault-injector-class-identities",
  "keyvault-injector-namespace-consents",
  "keyvault-injector-one-instance",
  "keyvault-injector-pod-volume",
  "keyvault-injector-sync-classes",
  "keyvault-injector-sync-components",
  "keyvault-injector-sync-definitions",
  "keyvault-injector-sync-gateways",
  "keyvault-injector-sync-pods",
  "keyvault-injector-sync-secrets",
  "keyvault-injector-sync-snapshots",
  "keyvault-injector-sync-tokens",
  "keyvault-injector-sync-webhooks",
  "keyvault-injector-sync-workloads",
  ...WEBHOOK_POLICIES,
];

const REPORTED: readonly Named[] = [
  { resource: RESOURCES.clusterRoles, names: [...CLUSTER_ROLES, "keyvault-injector-view"] },
  { resource: RESOURCES.clusterRoleBindings, names: CLUSTER_ROLES },
  { resource: RESOURCES.roles, names: [...BOTH, "keyvault-injector-components"] },
  { resource: RESOURCES.roleBindings, names: [...BOTH, "keyvault-injector-components"] },
  { resource: RESOURCES.validatingAdmissionPolicies, names: POLICIES },
  { resource: RESOURCES.validatingAdmissionPolicyBindings, names: POLICIES },
  { resource: RESOURCES.podTemplates, names: BOTH },
];

/** Returns everything that the manifests install, except the CRDs. */
export function componentsOf(namespace: string): readonly Component[] {
  const all = (named: readonly Named[], where: string, kind: Pick<Component, "treatment" | "isNodeSide">): readonly Component[] =>
    named.flatMap(({ resource, names }) =>
      names.map((name) => ({ ...component(resource, { namespace: where, name }), ...kind, isWebhook: isOfWebhook(resource, name) })),
    );
  return [
    ...all(HEALED, namespace, { treatment: "healed", isNodeSide: false }),
    ...all(NODE_SIDE, NODE_NAMESPACE, { treatment: "healed", isNodeSide: true }),
    ...all(REPORTED, namespace, { treatment: "reported", isNodeSide: false }),
    ...all([{ resource: RESOURCES.namespaces, names: [namespace] }], namespace, { treatment: "reported", isNodeSide: false }),
  ];
}

export function crdComponent(name: string): Component {
  return { ...component(RESOURCES.customResourceDefinitions, { name }), treatment: "crd", isNodeSide: false, isWebhook: false };
}

/** Includes the policies that limit the webhook's account. */
function isOfWebhook({ plural }: Resource, name: string): boolean {
  const isConfiguration =
    plural === RESOURCES.mutatingWebhookConfigurations.plural || plural === RESOURCES.validatingWebhookConfigurations.plural;
  return isConfiguration || name === WEBHOOK_DEPLOYMENT || WEBHOOK_POLICIES.includes(name);
}

function component(resource: Resource, { namespace, name }: ObjectRef): Pick<Component, "id" | "resource" | "ref"> {
  const ref: ObjectRef = resource.namespaced && namespace !== undefined ? { namespace, name } : { name };
  return { id: `${resource.kind} ${ref.namespace === undefined ? name : `${ref.namespace}/${name}`}`, resource, ref };
}

export function isOwnDeployment({ resource, ref }: Component): boolean {
  return resource.plural === WORKLOADS.Deployment.plural && ref.name === OWN_DEPLOYMENT;
}

/** Whether an object with a component's name belongs to this install. An object of a separately installed driver has only the name. */
export function isPartOfInstall(object: KubeObject): boolean {
  return PART_OF.some((label) => object.metadata.labels?.[label] === PRODUCT);
}

export function typeOf({ resource }: Component): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/** Returns the worker's own Deployment in the install's namespace, which carries events that are not about a class. */
export function workerDeployment(namespace: string): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace, name: OWN_DEPLOYMENT } };
}
