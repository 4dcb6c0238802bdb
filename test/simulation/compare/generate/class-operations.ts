import type { Json, JsonObject } from "../../api/json.ts";
import type { Operation, Place } from "../operation.ts";
import type { Choices } from "../random.ts";
import { typeOf } from "./places.ts";

const PREFIX = "keyvault-injector.dev/";
export const CLASSES: Place = { group: "secrets-store.csi.x-k8s.io", version: "v1", plural: "secretproviderclasses" };

/** Returns a write of a class by its author or the worker. */
export function classOperation(choices: Choices, namespace: string, users: readonly [string, ...string[]]): Operation {
  const name = choices.weighted([5, "one"], [5, "two"], [1, "keyvault-injector-guardrail-probe"]);
  const at = { place: CLASSES, namespace, name, user: choices.of(...users) };
  const query = { fieldManager: choices.of("author", "keyvault-injector-sync") };
  const body = { ...typeOf(CLASSES), metadata: { name, ...metadata(choices) }, ...choices.maybe(0.9, () => ({ spec: spec(choices) })) };
  return choices.weighted<() => Operation>(
    [3, () => ({ verb: "create", ...at, query, body })],
    [6, () => ({ verb: "apply", ...at, query: { ...query, force: "true" }, body })],
    [4, () => ({ verb: "merge", ...at, query, body: choices.chance(0.2) ? {} : { metadata: metadata(choices) } })],
    [3, () => ({ verb: "merge", ...at, query, body: { spec: spec(choices) } })],
    [2, () => ({ verb: "delete", ...at })],
  )();
}

function metadata(choices: Choices): JsonObject {
  const annotations: JsonObject = {
    ...choices.maybe(0.2, () => ({ [`${PREFIX}service-account`]: choices.of("lent", "other", " lent ") })),
    ...choices.maybe(0.2, () => ({ [`${PREFIX}credentials-secret`]: choices.of("lent", "other", "keyvault-injector-guardrail-probe") })),
    ...choices.maybe(0.1, () => ({ [`${PREFIX}adopt`]: "db" })),
    ...choices.maybe(0.1, () => ({ [`${PREFIX}mirror-to`]: "elsewhere" })),
    ...choices.maybe(0.1, () => ({ note: choices.of("a", "b") })),
  };
  return {
    ...choices.maybe(0.8, () => ({ annotations })),
    ...choices.maybe(0.15, () => ({ labels: { app: choices.of("a", "b") } })),
    ...choices.maybe(0.08, () => ({ finalizers: choices.of<Json>(["example.com/hold"], null) })),
  };
}

function spec(choices: Choices): JsonObject {
  const entry = (name: string): JsonObject => ({
    secretName: name,
    ...choices.maybe(0.9, () => ({ type: choices.weighted([8, "Opaque"], [1, "kubernetes.io/tls"]) })),
    ...choices.maybe(0.9, () => ({
      data: choices.some(["a", "b"], 0.8).map((key) => ({ key, ...choices.maybe(0.9, () => ({ objectName: key })) })),
    })),
    ...choices.maybe(0.3, () => ({ labels: Object.fromEntries(choices.some(["app", "tier"]).map((key) => [key, choices.of("a", "b")])) })),
  });
  return {
    ...choices.maybe(0.95, () => ({ provider: choices.weighted([9, "azure"], [1, "other"]) })),
    ...choices.maybe(0.9, () => ({ parameters: { keyvaultName: choices.weighted([5, "one"], [1, "two"]) } })),
    ...choices.maybe(0.6, () => ({ secretObjects: choices.some(["db", "web"], 0.8).map(entry) })),
  };
}
