import type { Json, JsonObject } from "../../api/json.ts";
import type { Choices } from "../random.ts";

/** Random contents of our own custom resources. */
export const randomDefinedContents = { classes: providerClass, syncs: sync } as const;

function providerClass(choices: Choices): JsonObject {
  const parameters: Record<string, Json> = {
    ...choices.maybe(0.8, () => ({ keyvaultName: choices.of("one", "two") })),
    ...choices.maybe(0.5, () => ({ objects: "array:\n  - |\n    objectName: a" })),
    ...choices.maybe(0.08, () => ({ cloudName: choices.of<Json>(null, 1, true) })),
    ...choices.maybe(0.3, () => ({ tenantId: choices.of("", "t") })),
  };
  const secretObject = (name: string): JsonObject => ({
    secretName: name,
    type: "Opaque",
    data: choices.some(["a", "b"]).map((key) => ({ key, objectName: key })),
    ...choices.maybe(0.3, () => ({ labels: { app: choices.of("a", "b") } })),
    ...choices.maybe(0.04, () => ({ unknownField: 1 })),
  });
  return {
    ...choices.maybe(0.95, () => ({
      spec: {
        ...choices.maybe(0.9, () => ({ provider: choices.weighted<Json>([12, "azure"], [1, 7], [1, null]) })),
        ...choices.maybe(0.9, () => ({ parameters: choices.chance(0.05) ? {} : parameters })),
        ...choices.maybe(0.6, () => ({
          secretObjects: choices.weighted<Json>([8, choices.some(["db", "web"]).map(secretObject)], [1, []], [1, null], [1, "text"]),
        })),
        ...choices.maybe(0.05, () => ({ unknownField: "x" })),
      },
    })),
    ...choices.maybe(0.1, () => ({ status: {} })),
    ...choices.maybe(0.04, () => ({ unknownField: "x" })),
  };
}

function condition(choices: Choices, type: string): JsonObject {
  return {
    type,
    status: choices.weighted([6, "True"], [6, "False"], [1, "Maybe"]),
    reason: choices.weighted([10, "Synced"], [5, "Failed"], [1, ""], [1, "bad reason"]),
    message: choices.of("", "all is well"),
    lastTransitionTime: choices.weighted<Json>([12, "2026-01-01T00:00:00Z"], [4, "2026-01-01T00:00:05Z"], [1, "yesterday"]),
    ...choices.maybe(0.6, () => ({ observedGeneration: choices.weighted([5, 1], [3, 2], [1, -1]) })),
  };
}

function sync(choices: Choices): JsonObject {
  const types = choices.some(["Synced", "Fresh"], 0.7);
  const conditions = [...types, ...(choices.chance(0.05) ? types.slice(0, 1) : [])].map((type) => condition(choices, type));
  const secrets = choices
    .some(["db", "web"])
    .map((name) => ({ name, ...choices.maybe(0.95, () => ({ state: choices.of("Synced", "Conflict") })) }));
  return choices.maybe(0.95, () => ({
    status: {
      ...choices.maybe(0.9, () => ({ conditions })),
      ...choices.maybe(0.7, () => ({ secrets })),
      ...choices.maybe(0.5, () => ({ secretsSynced: choices.of("1/2", "2/2") })),
      ...choices.maybe(0.3, () => ({ observedGeneration: choices.weighted<Json>([5, 1], [1, -1], [1, "one"]) })),
      ...choices.maybe(0.2, () => ({ observedRefresh: choices.weighted([4, "x"], [1, "x".repeat(300)]) })),
      ...choices.maybe(0.03, () => ({ unknownField: 1 })),
    },
  }));
}
