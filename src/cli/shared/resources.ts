import { OWNER_RESOURCES } from "../../domain/gateways/owner-kinds.ts";
import { ADMISSION, inNamespace, type KubeObject, ofCluster, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { SETTINGS } from "../../runtime/settings.ts";
import { type OptionValues, valueOf } from "./options.ts";

/** Kinds that only the command line reads. */
export const MORE_RESOURCES = {
  replicationControllers: inNamespace("v1", "ReplicationController", "replicationcontrollers"),
  nodes: ofCluster("v1", "Node", "nodes"),
  deployments: WORKLOADS.Deployment,
  statefulSets: WORKLOADS.StatefulSet,
  daemonSets: WORKLOADS.DaemonSet,
  replicaSets: { ...WORKLOADS.Deployment, plural: "replicasets", kind: "ReplicaSet" },
  jobs: inNamespace("batch/v1", "Job", "jobs"),
  cronJobs: inNamespace("batch/v1", "CronJob", "cronjobs"),
  mutatingPolicies: ofCluster(ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
  mutatingPolicyBindings: ofCluster(ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
  gatewayClasses: { ...OWNER_RESOURCES.Gateway, plural: "gatewayclasses", kind: "GatewayClass", namespaced: false },
  ingressClasses: { ...OWNER_RESOURCES.Ingress, plural: "ingressclasses", kind: "IngressClass", namespaced: false },
  csiNodes: ofCluster("storage.k8s.io/v1", "CSINode", "csinodes"),
  selfSubjectReviews: ofCluster("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews"),
} satisfies Record<string, Resource>;

/** Kinds that `explain` accepts before the slash, in kubectl's spellings. `spc` is the project's own: the CRD has no short name. */
const TARGETS: readonly (readonly [Resource, ...string[]])[] = [
  [RESOURCES.pods, "pod", "pods", "po"],
  [MORE_RESOURCES.deployments, "deployment", "deployments", "deploy"],
  [MORE_RESOURCES.statefulSets, "statefulset", "statefulsets", "sts"],
  [MORE_RESOURCES.daemonSets, "daemonset", "daemonsets", "ds"],
  [MORE_RESOURCES.replicaSets, "replicaset", "replicasets", "rs"],
  [MORE_RESOURCES.replicationControllers, "replicationcontroller", "replicationcontrollers", "rc"],
  [MORE_RESOURCES.jobs, "job", "jobs"],
  [MORE_RESOURCES.cronJobs, "cronjob", "cronjobs", "cj"],
  [WORKLOADS.Rollout, "rollout", "rollouts", "ro"],
  [RESOURCES.secretProviderClasses, "secretproviderclass", "secretproviderclasses", "spc"],
];

/** The worker's status of a class has the name of the class, so `explain` explains the class. */
const CLASS_STATUSES = [RESOURCES.secretProviderClassSyncs, "secretproviderclasssync", "secretproviderclasssyncs", "spcsync"] as const;

export const TARGET_KINDS: readonly string[] = [...TARGETS.map(([, name = ""]) => name), CLASS_STATUSES[3]];

/** Finds a kind as users type it, or as `kubectl get -o name` prints it: `deployment`, `deployment.apps`, `deployments.v1.apps`. */
export function targetResource(kind: string): Resource | undefined {
  const found = [...TARGETS, CLASS_STATUSES].find(([resource, ...names]) => isNamed(kind.toLowerCase(), resource, names))?.[0];
  return found === RESOURCES.secretProviderClassSyncs ? RESOURCES.secretProviderClasses : found;
}

function isNamed(written: string, { group, version }: Resource, names: readonly string[]): boolean {
  const [name = "", ...rest] = written.split(".");
  return names.includes(name) && (rest.length === 0 || [group, `${version}.${group}`].includes(rest.join(".")));
}

/** Default namespace of the install. */
export const INSTALL_NAMESPACE = SETTINGS.namespace.default;

/** Returns the namespace of `--install-namespace`, or the default. */
export function installNamespace(options: OptionValues): string {
  return valueOf(options, "install-namespace") ?? INSTALL_NAMESPACE;
}

/** Label of everything that an installer applies. */
export const OWN_LABEL = "app.kubernetes.io/name=keyvault-injector";

/** Namespaces that the webhook excludes, besides that of the install: pods that the webhook depends on must not depend on it. */
export const EXCLUDED_NAMESPACES: readonly string[] = ["kube-system"];

/** Cloud of classes without `cloudName`, unless the operator set another. */
export const DEFAULT_CLOUD = SETTINGS["cloud-name"].default;

/** Name of the policy that rejects an opted-in pod without its volume, and of its binding. */
export const FINAL_CHECK = "keyvault-injector-pod-volume";

export interface Policy extends KubeObject {
  readonly spec?: {
    readonly failurePolicy?: string;
    readonly paramKind?: { readonly kind?: string };
    readonly matchConstraints?: Pick<WebhookEntry, "namespaceSelector" | "objectSelector"> & {
      readonly resourceRules?: WebhookEntry["rules"];
      readonly excludeResourceRules?: readonly unknown[];
    };
    readonly matchConditions?: readonly { readonly name?: string; readonly expression?: string }[];
    readonly variables?: readonly { readonly name?: string; readonly expression?: string }[];
    readonly reinvocationPolicy?: string;
    readonly mutations?: readonly { readonly jsonPatch?: { readonly expression?: string } }[];
    readonly validations?: readonly { readonly expression?: string }[];
  };
  readonly status?: { readonly typeChecking?: { readonly expressionWarnings?: readonly unknown[] } };
}

export interface PolicyBinding extends KubeObject {
  readonly spec?: {
    readonly policyName?: string;
    readonly validationActions?: readonly string[];
    readonly paramRef?: unknown;
    readonly matchResources?: Readonly<Record<string, unknown>>;
  };
}

/** A LabelSelector of a webhook configuration. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** Parts of a webhook configuration by which the API server decides whether to call the webhook, and whether to trust its response. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly WebhookEntry[];
}

export interface WebhookEntry {
  readonly name: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly matchConditions?: readonly { readonly name?: string }[];
  readonly rules?: readonly {
    readonly apiGroups?: readonly string[];
    readonly operations?: readonly string[];
    readonly resources?: readonly string[];
  }[];
  readonly failurePolicy?: string;
  readonly clientConfig?: {
    readonly caBundle?: string;
    readonly url?: string;
    readonly service?: { readonly name?: string; readonly namespace?: string; readonly port?: number };
  };
}
