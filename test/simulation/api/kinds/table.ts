import { isSameMeaning, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import type { Kind } from "../kind.ts";
import { isLabel, isPathSegment, isServiceName } from "../validation/names.ts";
import {
  bindingCauses,
  bindingChangeCauses,
  budgetCauses,
  driverCauses,
  driverChangeCauses,
  eventCauses,
  leaseCauses,
  priorityChangeCauses,
  revisionCauses,
  revisionChangeCauses,
  revisionDataCauses,
  serviceCauses,
  webhookCauses,
} from "../validation/others.ts";
import { secretCauses, secretChangeCauses } from "../validation/secrets.ts";
import {
  podCauses,
  podChangeCauses,
  podTemplateCauses,
  statefulChangeCauses,
  workloadCauses,
  workloadChangeCauses,
} from "../validation/workloads.ts";
import { builtinKind, type Traits } from "./builtin.ts";
import {
  definitionCauses,
  definitionChangeCauses,
  definitionNameCauses,
  prepareDefinition,
  prepareDefinitionChange,
} from "./definitions.ts";
import {
  byContent,
  bySpec,
  bySpecOrAnnotations,
  byWebhooks,
  mergedStringData,
  never,
  qualityOf,
  stringIn,
  withMetadata,
} from "./preparing.ts";

const at =
  (...path: readonly string[]) =>
  (object: JsonObject): string =>
    stringIn(object, path);

const RBAC = { group: "rbac.authorization.k8s.io", createsByUpdate: true, name: isPathSegment };
const ADMISSION = { group: "admissionregistration.k8s.io", isClusterScoped: true, needsVersion: true, takesAnyFinalizer: true };

/** Returns the traits that the kinds of workloads share. */
const workload = (kind: "Deployment" | "StatefulSet" | "ReplicaSet" | "DaemonSet") => ({
  group: "apps",
  kind,
  shape: `apps.${kind}`,
  status: {},
  causes: (object: JsonObject) => workloadCauses(object, kind),
  changeCauses: workloadChangeCauses,
});

/** Traits of each built-in kind, if they differ from the defaults. */
export const TRAITS: readonly Traits[] = [
  {
    group: "",
    plural: "secrets",
    kind: "Secret",
    shape: "core.Secret",

    fieldLabels: { type: at("type") },
    reshape: mergedStringData,
    prepareUpdate: (secret, old) => (secret["type"] === "" ? { ...secret, type: old["type"] ?? "" } : secret),
    causes: secretCauses,
    changeCauses: secretChangeCauses,
  },
  { group: "", plural: "configmaps", kind: "ConfigMap", shape: "core.ConfigMap" },
  {
    group: "",
    plural: "pods",
    kind: "Pod",
    shape: "core.Pod",

    returnsDeleted: true,
    generation: bySpec,
    status: {
      first: (pod) => ({ phase: "Pending", qosClass: qualityOf(objectAt(pod, "spec")) }),
      keeps: ["ownerReferences", "deletionTimestamp"],
      ignores: ["metadata.deletionTimestamp", "metadata.ownerReferences"],
    },
    fieldLabels: {
      "spec.nodeName": at("spec", "nodeName"),
      "spec.restartPolicy": at("spec", "restartPolicy"),
      "spec.schedulerName": at("spec", "schedulerName"),
      "spec.serviceAccountName": at("spec", "serviceAccountName"),
      "status.phase": at("status", "phase"),
      "status.podIP": at("status", "podIP"),
    },
    causes: podCauses,
    changeCauses: podChangeCauses,
  },
  {
    group: "",
    plural: "podtemplates",
    kind: "PodTemplate",
    shape: "core.PodTemplate",
    generation: byContent,
    returnsDeleted: true,
    causes: podTemplateCauses,
  },
  {
    group: "",
    plural: "serviceaccounts",
    kind: "ServiceAccount",
    shape: "core.ServiceAccount",

    returnsDeleted: true,
  },
  {
    group: "",
    plural: "namespaces",
    kind: "Namespace",
    shape: "core.Namespace",

    isClusterScoped: true,
    returnsDeleted: true,
    name: isLabel,
    status: { first: () => ({ phase: "Active" }) },
    fieldLabels: { "status.phase": at("status", "phase"), name: at("metadata", "name") },
    prepareCreate: (namespace) => ({
      ...namespace,
      spec: { finalizers: withKubernetes(listAt(objectAt(namespace, "spec"), "finalizers")) },
    }),
    prepareUpdate: (namespace, old) => ({ ...namespace, spec: old["spec"] ?? {} }),
  },
  {
    group: "",
    plural: "events",
    kind: "Event",
    shape: "core.Event",
    createsByUpdate: true,
    hasNoDependents: true,
    fieldLabels: {
      "involvedObject.kind": at("involvedObject", "kind"),
      "involvedObject.namespace": at("involvedObject", "namespace"),
      "involvedObject.name": at("involvedObject", "name"),
      "involvedObject.uid": at("involvedObject", "uid"),
      "involvedObject.apiVersion": at("involvedObject", "apiVersion"),
      "involvedObject.resourceVersion": at("involvedObject", "resourceVersion"),
      "involvedObject.fieldPath": at("involvedObject", "fieldPath"),
      reason: at("reason"),
      reportingComponent: at("reportingComponent"),
      source: (event) => stringIn(event, ["source", "component"]) || stringIn(event, ["reportingComponent"]),
      type: at("type"),
    },
    // The API server validates only the namespace in an event's metadata, so the name need not be a DNS name.
    name: isPathSegment,
    isLooselyChecked: true,
    causes: eventCauses,
  },
  {
    group: "",
    plural: "services",
    kind: "Service",
    shape: "core.Service",

    createsByUpdate: true,
    returnsDeleted: true,
    name: isServiceName,
    status: {},
    prepareUpdate: keptAddresses,
    causes: serviceCauses,
    fieldLabels: { "spec.clusterIP": at("spec", "clusterIP"), "spec.type": at("spec", "type") },
  },
  {
    group: "apps",
    plural: "controllerrevisions",
    kind: "ControllerRevision",
    shape: "apps.ControllerRevision",
    causes: revisionCauses,
    birthCauses: revisionDataCauses,
    changeCauses: revisionChangeCauses,
  },
  {
    ...workload("Deployment"),
    plural: "deployments",
    generation: bySpecOrAnnotations,
    status: { keeps: ["labels"], ignores: ["metadata.labels"] },
  },
  {
    ...workload("StatefulSet"),
    plural: "statefulsets",
    name: isLabel,
    generation: bySpec,
    changeCauses: statefulChangeCauses,
  },
  {
    ...workload("ReplicaSet"),
    plural: "replicasets",
    generation: bySpec,
  },
  {
    ...workload("DaemonSet"),
    plural: "daemonsets",
    generation: bySpec,
    reshape: withTemplateCount,
    prepareCreate: (set) => countTemplates(set, undefined),
    prepareUpdate: countTemplates,
  },
  {
    group: "coordination.k8s.io",
    plural: "leases",
    kind: "Lease",
    takesAnyFinalizer: true,
    shape: "coordination.Lease",
    createsByUpdate: true,
    needsVersion: true,
    causes: leaseCauses,
  },
  {
    group: "policy",
    plural: "poddisruptionbudgets",
    kind: "PodDisruptionBudget",
    name: isPathSegment,
    isLooselyChecked: true,
    shape: "policy.PodDisruptionBudget",
    needsVersion: true,
    generation: bySpec,
    status: {},
    causes: budgetCauses,
  },
  {
    group: "scheduling.k8s.io",
    plural: "priorityclasses",
    kind: "PriorityClass",
    shape: "scheduling.PriorityClass",
    isClusterScoped: true,
    generation: never,
    changeCauses: priorityChangeCauses,
  },
  {
    group: "storage.k8s.io",
    plural: "csidrivers",
    generation: bySpec,
    isBornWithoutGeneration: true,
    kind: "CSIDriver",
    shape: "storage.CSIDriver",
    isClusterScoped: true,
    needsVersion: true,
    returnsDeleted: true,
    causes: driverCauses,
    changeCauses: driverChangeCauses,
  },
  { ...RBAC, plural: "roles", kind: "Role", shape: "rbac.Role" },
  {
    ...RBAC,
    plural: "rolebindings",
    kind: "RoleBinding",
    shape: "rbac.RoleBinding",
    causes: (binding) => bindingCauses(binding, ["Role", "ClusterRole"]),
    changeCauses: bindingChangeCauses,
  },
  { ...RBAC, plural: "clusterroles", kind: "ClusterRole", shape: "rbac.ClusterRole", isClusterScoped: true },
  {
    ...RBAC,
    plural: "clusterrolebindings",
    kind: "ClusterRoleBinding",
    shape: "rbac.ClusterRoleBinding",
    isClusterScoped: true,
    causes: (binding) => bindingCauses(binding, ["ClusterRole"]),
    changeCauses: bindingChangeCauses,
  },
  {
    ...ADMISSION,
    plural: "mutatingwebhookconfigurations",
    kind: "MutatingWebhookConfiguration",
    shape: "admissionregistration.MutatingWebhookConfiguration",
    generation: byWebhooks,
    causes: webhookCauses,
  },
  {
    ...ADMISSION,
    plural: "validatingwebhookconfigurations",
    kind: "ValidatingWebhookConfiguration",
    shape: "admissionregistration.ValidatingWebhookConfiguration",
    generation: byWebhooks,
    causes: webhookCauses,
  },
  {
    ...ADMISSION,
    plural: "validatingadmissionpolicies",
    kind: "ValidatingAdmissionPolicy",
    shape: "admissionregistration.ValidatingAdmissionPolicy",
    generation: bySpec,
    status: { keeps: ["labels", "annotations", "finalizers", "ownerReferences"], ignores: ["metadata"] },
  },
  {
    ...ADMISSION,
    plural: "validatingadmissionpolicybindings",
    kind: "ValidatingAdmissionPolicyBinding",
    shape: "admissionregistration.ValidatingAdmissionPolicyBinding",
    generation: bySpec,
  },
  {
    group: "apiextensions.k8s.io",
    plural: "customresourcedefinitions",
    kind: "CustomResourceDefinition",
    takesAnyFinalizer: true,
    shape: "apiextensions.CustomResourceDefinition",
    isClusterScoped: true,
    needsVersion: true,
    generation: bySpec,
    status: {},
    prepareCreate: prepareDefinition,
    prepareUpdate: prepareDefinitionChange,
    causes: definitionCauses,
    birthCauses: definitionNameCauses,
    changeCauses: definitionChangeCauses,
  },
];

export const BUILTIN_KINDS: readonly Kind[] = TRAITS.map(builtinKind);

function withKubernetes(finalizers: readonly unknown[]): readonly string[] {
  const names = finalizers.map(String);
  return names.includes("kubernetes") ? names : [...names, "kubernetes"];
}

const ADDRESSES = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];

/** Keeps the addresses that a Service already has. */
function keptAddresses(service: JsonObject, old: JsonObject): JsonObject {
  const spec = objectAt(service, "spec");
  const before = objectAt(old, "spec");
  const missing = ADDRESSES.filter((name) => spec[name] === undefined && before[name] !== undefined);
  return missing.length === 0
    ? service
    : { ...service, spec: { ...spec, ...Object.fromEntries(missing.map((name) => [name, before[name] ?? null])) } };
}

const TEMPLATE_COUNT = "deprecated.daemonset.template.generation";

/** Sets the annotation that replaces a field of an older API version. */
function withTemplateCount(set: JsonObject): JsonObject {
  const annotations = objectAt(objectAt(set, "metadata"), "annotations");
  const count = String(Math.trunc(Number(stringAt(annotations, TEMPLATE_COUNT) ?? 0)) || 0);
  return annotations[TEMPLATE_COUNT] === count ? set : withMetadata(set, { annotations: { ...annotations, [TEMPLATE_COUNT]: count } });
}

/** Counts the templates that a DaemonSet has had. */
function countTemplates(set: JsonObject, old: JsonObject | undefined): JsonObject {
  const annotations = objectAt(objectAt(set, "metadata"), "annotations");
  const before = Number(objectAt(objectAt(old, "metadata"), "annotations")[TEMPLATE_COUNT] ?? 0);
  const isSame = old !== undefined && isSameMeaning(objectAt(old, "spec")["template"], objectAt(set, "spec")["template"]);
  const count = String(before + (isSame ? 0 : 1));
  return withMetadata(set, { annotations: { ...annotations, [TEMPLATE_COUNT]: count } });
}
