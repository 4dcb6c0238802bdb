import { type KubeObject, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import { WORKLOADS } from "../../domain/rollout/workload.ts";
import { SETTINGS } from "../../runtime/settings.ts";
import { type OptionValues, valueOf } from "./options.ts";
import type { WebhookEntry } from "./webhook-entry.ts";

const batch = (plural: string, kind: string): Resource => ({ group: "batch", version: "v1", plural, kind, namespaced: true });

const admission = (plural: string, kind: string): Resource => ({
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced: false,
});

/** Kinds that only the command line looks at. */
export const MORE_RESOURCES = {
  replicationControllers: { group: "", version: "v1", plural: "replicationcontrollers", kind: "ReplicationController", namespaced: true },
  nodes: { group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false },
  deployments: WORKLOADS.Deployment,
  statefulSets: WORKLOADS.StatefulSet,
  daemonSets: WORKLOADS.DaemonSet,
  replicaSets: { ...WORKLOADS.Deployment, plural: "replicasets", kind: "ReplicaSet" },
  jobs: batch("jobs", "Job"),
  cronJobs: batch("cronjobs", "CronJob"),
  podStatuses: { ...RESOURCES.secretProviderClasses, plural: "secretproviderclasspodstatuses", kind: "SecretProviderClassPodStatus" },
  mutatingPolicies: admission("mutatingadmissionpolicies", "MutatingAdmissionPolicy"),
  mutatingPolicyBindings: admission("mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding"),
  csiNodes: { group: "storage.k8s.io", version: "v1", plural: "csinodes", kind: "CSINode", namespaced: false },
  selfSubjectReviews: {
    group: "authentication.k8s.io",
    version: "v1",
    plural: "selfsubjectreviews",
    kind: "SelfSubjectReview",
    namespaced: false,
  },
} as const satisfies Record<string, Resource>;

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
