import { isEqual, isObject, type JsonObject, listAt, objectAt } from "../json.ts";
import type { Kind } from "../kind.ts";
import type { Stored } from "../store/stored.ts";

/** Objects that remain in a namespace while its controller empties it. */
export type Remaining = ReadonlyMap<Kind, readonly Stored[]>;

type Condition = readonly [type: string, status: "True" | "False", reason: string, message: string];

/** Returns the namespace with the controller's conditions about the content, or the same object if they do not change. */
export function withConditions(namespace: JsonObject, remaining: Remaining, time: string): JsonObject {
  const status = objectAt(namespace, "status");
  const before = listAt(status, "conditions").filter(isObject);
  const conditions = conditionsOf(remaining).map(([type, state, reason, message]): JsonObject => {
    const known = before.find((condition) => condition["type"] === type);
    const lastTransitionTime = known?.["status"] === state ? (known["lastTransitionTime"] ?? time) : time;
    return { type, status: state, lastTransitionTime, reason, message };
  });
  return isEqual([...before], conditions) ? namespace : { ...namespace, status: { ...status, conditions } };
}

function conditionsOf(remaining: Remaining): readonly Condition[] {
  return [
    ["NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"],
    ["NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions", "All legacy kube types successfully parsed"],
    ["NamespaceDeletionContentFailure", "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
    contentCondition(remaining),
    finalizersCondition(remaining),
  ];
}

function contentCondition(remaining: Remaining): Condition {
  const counts = [...remaining].map(([{ plural, group }, objects]) => `${plural}.${group} has ${objects.length} resource instances`);
  if (counts.length === 0) return ["NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"];
  return ["NamespaceContentRemaining", "True", "SomeResourcesRemain", `Some resources are remaining: ${counts.sort().join(", ")}`];
}

function finalizersCondition(remaining: Remaining): Condition {
  const counts = new Map<string, number>();
  for (const { object } of [...remaining.values()].flat()) {
    for (const finalizer of listAt(objectAt(object, "metadata"), "finalizers").map(String))
      counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  }
  if (counts.size === 0) {
    return ["NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"];
  }
  const texts = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort();
  const message = `Some content in the namespace has finalizers remaining: ${texts.join(", ")}`;
  return ["NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", message];
}
