import { isEqual, isObject, isSameMeaning, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import type { Cause } from "../refusal.ts";
import { duplicate, forbiddenField, IMMUTABLE, invalidValue, required, unsupported } from "./cause.ts";
import { selectorCauses } from "./metadata.ts";
import { isLabel } from "./names.ts";
import { matchesSelector } from "./selector.ts";

export function podCauses(pod: JsonObject): readonly Cause[] {
  return podSpecCauses(objectAt(pod, "spec"), "spec");
}

export function podTemplateCauses(object: JsonObject): readonly Cause[] {
  return podSpecCauses(objectAt(objectAt(object, "template"), "spec"), "template.spec");
}

function podSpecCauses(spec: JsonObject, field: string): readonly Cause[] {
  const containers = listAt(spec, "containers");
  const volumes = listAt(spec, "volumes");
  return [
    ...namedCauses(volumes, `${field}.volumes`),
    ...(containers.length === 0 ? [required(`${field}.containers`)] : namedCauses(containers, `${field}.containers`)),
    ...containers.flatMap((container, index) =>
      isObject(container) ? containerCauses(container, volumes, `${field}.containers[${index}]`) : [],
    ),
  ];
}

function containerCauses(container: JsonObject, volumes: readonly Json[], field: string): readonly Cause[] {
  const names = volumes.map((volume) => (isObject(volume) ? volume["name"] : undefined));
  const mounts = listAt(container, "volumeMounts");
  return [
    ...((stringAt(container, "image") ?? "") === "" ? [required(`${field}.image`)] : []),
    ...mounts.flatMap((mount, index) => {
      const name = isObject(mount) ? (mount["name"] ?? "") : "";
      const at = `${field}.volumeMounts[${index}].name`;
      return names.includes(name) ? [] : [{ reason: "FieldValueNotFound", message: `Not found: ${JSON.stringify(name)}`, field: at }];
    }),
  ];
}

/** Validates the names of items: each must be a DNS label, and unique. */
function namedCauses(items: readonly Json[], field: string): readonly Cause[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const name = isObject(item) ? (stringAt(item, "name") ?? "") : "";
    const at = `${field}[${index}].name`;
    if (name === "") return [required(at)];
    const isTaken = seen.has(name);
    seen.add(name);
    return [...isLabel(name).map((why) => invalidValue(at, name, why)), ...(isTaken ? [duplicate(at, name)] : [])];
  });
}

/** Refuses changes of a pod's spec, except those of images, deadline, and tolerations. */
export function podChangeCauses(pod: JsonObject, old: JsonObject): readonly Cause[] {
  const fixed = (object: JsonObject): JsonObject => {
    const { tolerations: _tolerations, activeDeadlineSeconds: _deadline, ...spec } = objectAt(object, "spec");
    const containers = listAt(spec, "containers").map((container) => (isObject(container) ? { ...container, image: "" } : container));
    return { ...spec, containers };
  };
  const why =
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
  const changed = ["containers", "initContainers"].find(
    (name) => listAt(objectAt(pod, "spec"), name).length !== listAt(objectAt(old, "spec"), name).length,
  );
  if (changed !== undefined) return [forbiddenField(`spec.${changed}`, "pod updates may not add or remove containers")];
  return isSameMeaning(fixed(pod), fixed(old)) ? [] : [forbiddenField("spec", why)];
}

type WorkloadKind = "Deployment" | "StatefulSet" | "ReplicaSet" | "DaemonSet";

export function workloadCauses(workload: JsonObject, kind: WorkloadKind): readonly Cause[] {
  const spec = objectAt(workload, "spec");
  const selector = spec["selector"];
  const template = objectAt(spec, "template");
  const policy = stringAt(objectAt(template, "spec"), "restartPolicy") ?? "Always";
  return [
    ...(isObject(selector) ? workloadSelectorCauses(selector, kind) : kind === "DaemonSet" ? [] : [required("spec.selector")]),
    ...labelMismatch(isObject(selector) ? selector : undefined, objectAt(template, "metadata")),
    ...podSpecCauses(objectAt(template, "spec"), "spec.template.spec"),
    ...(policy === "Always" ? [] : [unsupported("spec.template.spec.restartPolicy", policy, ["Always"])]),
    ...negativeCauses(spec, "replicas"),
    ...strategyCauses(objectAt(spec, "strategy")),
    ...(kind === "StatefulSet" ? statefulStrategyCauses(objectAt(spec, "updateStrategy")) : []),
  ];
}

function strategyCauses(strategy: JsonObject): readonly Cause[] {
  if (strategy["type"] !== "Recreate" || strategy["rollingUpdate"] === undefined) return [];
  return [forbiddenField("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")];
}

/** Refuses `rollingUpdate` with another type. It can be an earlier default if a patch changes only the type. */
function statefulStrategyCauses({ type, rollingUpdate }: JsonObject): readonly Cause[] {
  if (type !== "OnDelete" || rollingUpdate === undefined) return [];
  return [invalidValue("spec.updateStrategy.rollingUpdate", rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")];
}

function negativeCauses(spec: JsonObject, name: string): readonly Cause[] {
  const value = spec[name];
  return typeof value === "number" && value < 0 ? [invalidValue(`spec.${name}`, value, "must be greater than or equal to 0")] : [];
}

function workloadSelectorCauses(selector: JsonObject, kind: WorkloadKind): readonly Cause[] {
  const isEmpty = Object.keys(objectAt(selector, "matchLabels")).length === 0 && listAt(selector, "matchExpressions").length === 0;
  // For a ReplicaSet, the message names a Deployment.
  const named = kind === "ReplicaSet" ? "deployment" : kind.toLowerCase();
  return [
    ...selectorCauses(selector, "spec.selector"),
    ...(isEmpty ? [invalidValue("spec.selector", selector, `empty selector is invalid for ${named}`)] : []),
  ];
}

/** A missing selector selects nothing, and an empty one everything. */
function labelMismatch(selector: JsonObject | undefined, metadata: JsonObject): readonly Cause[] {
  if (selector !== undefined && matchesSelector(selector, objectAt(metadata, "labels"))) return [];
  return [invalidValue("spec.template.metadata.labels", metadata["labels"], "`selector` does not match template `labels`")];
}

export function workloadChangeCauses(workload: JsonObject, old: JsonObject): readonly Cause[] {
  const selector = objectAt(workload, "spec")["selector"];
  return isEqual(selector, objectAt(old, "spec")["selector"]) ? [] : [invalidValue("spec.selector", selector, IMMUTABLE)];
}

/** Fields of a StatefulSet's spec that can change. */
const STATEFUL_CHANGES = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];

export function statefulChangeCauses(workload: JsonObject, old: JsonObject): readonly Cause[] {
  const fixed = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(objectAt(object, "spec")).filter(([name]) => !STATEFUL_CHANGES.includes(name)));
  const why =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  return isSameMeaning(fixed(workload), fixed(old)) ? [] : [forbiddenField("spec", why)];
}
