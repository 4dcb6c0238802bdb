import { OWNER_RESOURCES } from "../../domain/gateways/owner-kinds.ts";
import { ADMISSION, inNamespace, type KubeObject, ofCluster, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { SETTINGS } from "../../runtime/settings.ts";
import { type OptionValues, valueOf } from "./options.ts";

/** Kinds that only the command line looks at. */
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

/** What `explain` takes before the slash, in the spellings that kubectl takes; `spc` is ours, its CRD has no short name. */
const TARGETS: readonly (readonly [Resource, ...string[]])[] = [
  [RESOURCES.pods, "pod", "pods", "po"],
  [MORE_RESOURCES.deployments, "deployment", "deployments", "deploy"],
  [MORE_RESOURCES.statefulSets, "statefulset", "statefulsets", "sts"],
  [MORE_RESOURCES.daemonSets, "daemonset", "daemonsets", "ds"],
  [MORE_RESOURCES.replicaSets, "replicaset", "replicasets", "rs"],
  [MORE_RESOURCES.replicationControllers, "replicationcontroller", "replicationcontrollers", "rc"],
  [MORE_RESOURCES.jobs, "job", "jobs"],
  [MORE_RESOURCES.cronJobs, "cronjob", "cronjobs", "cj"],
  [RESOURCES.secretProviderClasses, "secretproviderclass", "secretproviderclasses", "spc"],
];

export const TARGET_KINDS: readonly string[] = TARGETS.map(([, name = ""]) => name);

/** The worker's word on a class has the class's name: what is explained is the class. */
const CLASS_STATUSES = [RESOURCES.secretProviderClassSyncs, "secretproviderclasssync", "secretproviderclasssyncs", "spcsync"] as const;

/** By a kind as it is typed, or as `kubectl get -o name` prints it: `deployment`, `deployment.apps`, `deployments.v1.apps`. */
export function targetResource(kind: string): Resource | undefined {
  const found = [...TARGETS, CLASS_STATUSES].find(([resource, ...names]) => isNamed(kind.toLowerCase(), resource, names))?.[0];
  return found === RESOURCES.secretProviderClassSyncs ? RESOURCES.secretProviderClasses : found;
}

function isNamed(written: string, { group, version }: Resource, names: readonly string[]): boolean {
  const [name = "", ...rest] = written.split(".");
  return names.includes(name) && (rest.length === 0 || [group, `${version}.${group}`].includes(rest.join(".")));
}

/** Where the product is installed unless somebody chose another place. */
export const INSTALL_NAMESPACE = SETTINGS.namespace.default;

/** Where the user says that it is: `--install-namespace`. */
export function installNamespace(options: OptionValues): string {
  return valueOf(options, "install-namespace") ?? INSTALL_NAMESPACE;
}

/** On everything that an installer applies. */
export const OWN_LABEL = "app.kubernetes.io/name=keyvault-injector";

/** Left out by the webhook's configuration, besides the install's own namespace: the pods that we need must not need us. */
export const EXCLUDED_NAMESPACES: readonly string[] = ["kube-system"];

/** Cloud of classes without `cloudName`, unless the operator set another. */
export const DEFAULT_CLOUD = SETTINGS["cloud-name"].default;

/** Of the policy that refuses an opted-in pod without its volume, and of its binding. */
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

/** A LabelSelector as webhook configurations have it. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The parts of a webhook configuration that decide whom the API server asks, and whether it trusts the answer. */
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
