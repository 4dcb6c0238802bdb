import type { JsonObject } from "../../api/json.ts";
import type { Choices } from "../random.ts";

const LABELS = ["app", "tier", "keyvault-injector.dev/managed", "team.example/owner"];
const ANNOTATIONS = ["note", "keyvault-injector.dev/class", "kubectl.kubernetes.io/last-applied-configuration", "Upper.example/Case"];
const VALUES = ["a", "b", "true", "", "x-1.y_2"];
const FINALIZERS = ["example.com/hold", "example.com/wait", "orphan", "foregroundDeletion"];

const LABELS_REFUSED: readonly JsonObject[] = [
  { "bad key": "a" },
  { app: "not valid!" },
  { "-dash": "a" },
  { ["x".repeat(64)]: "a" },
  { app: "y".repeat(64) },
  { "/empty": "a" },
];

/** Returns random metadata. The API server refuses some of it. */
export function randomMetadata(choices: Choices): JsonObject {
  return {
    ...choices.maybe(0.5, () => ({
      labels: choices.chance(0.06) ? choices.of(...(LABELS_REFUSED as [JsonObject, ...JsonObject[]])) : randomMap(choices, LABELS),
    })),
    ...choices.maybe(0.4, () => ({ annotations: choices.chance(0.03) ? { "bad key": "a" } : randomMap(choices, ANNOTATIONS) })),
    ...choices.maybe(0.1, () => ({ finalizers: choices.chance(0.1) ? ["unqualified"] : choices.some(FINALIZERS.slice(0, 2)) })),
    ...choices.maybe(0.06, () => ({ ownerReferences: [randomOwner(choices)] })),
  };
}

export function randomMap(choices: Choices, keys: readonly string[]): JsonObject {
  return Object.fromEntries(choices.some(keys).map((key) => [key, choices.of("a", "b", "true", "", "x-1.y_2")]));
}

function randomOwner(choices: Choices): JsonObject {
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "11111111-2222-4333-8444-555555555555" };
  return choices.weighted(
    [6, owner],
    [2, { ...owner, controller: true, blockOwnerDeletion: true }],
    [1, { ...owner, uid: "" }],
    [1, { ...owner, apiVersion: "" }],
    [1, { ...owner, kind: "Event" }],
  );
}

/** Returns a merge patch that adds, changes, and removes metadata. */
export function randomMetadataPatch(choices: Choices): JsonObject {
  const changed = (keys: readonly string[]): JsonObject =>
    Object.fromEntries(
      choices.some(keys).map((key) => [key, choices.chance(0.3) ? null : choices.of(...(VALUES as [string, ...string[]]))]),
    );
  return {
    ...choices.maybe(0.5, () => ({ labels: choices.chance(0.1) ? null : changed(LABELS) })),
    ...choices.maybe(0.5, () => ({ annotations: choices.chance(0.05) ? null : changed(ANNOTATIONS) })),
    ...choices.maybe(0.15, () => ({ finalizers: choices.chance(0.4) ? null : choices.some(FINALIZERS) })),
    ...choices.maybe(0.08, () => ({ ownerReferences: choices.chance(0.3) ? null : [randomOwner(choices)] })),
    ...choices.maybe(0.25, () => ({ resourceVersion: choices.weighted([6, "$version"], [2, "$earlier"], [1, ""]) })),
    ...choices.maybe(0.15, () => ({ uid: choices.weighted([4, "$uid"], [1, "22222222-2222-4333-8444-555555555555"]) })),
    ...choices.maybe(0.06, () => ({
      managedFields: choices.weighted<JsonObject["any"]>([3, "$lastOwner"], [1, []], [1, [{}]], [1, "$owners"], [1, null]),
    })),
    ...choices.maybe(0.02, () => ({ generation: choices.of(1, 7, 0) })),
    ...choices.maybe(0.02, () => ({ unknownField: "x" })),
    ...choices.maybe(0.02, () => ({ name: "another-name" })),
    ...choices.maybe(0.02, () => ({ namespace: "another-namespace" })),
    ...choices.maybe(0.02, () => ({ creationTimestamp: choices.of(null, "2020-01-01T00:00:00Z") })),
  };
}
