import { type JsonObject, objectAt } from "../../api/json.ts";
import type { Batch } from "../batch.ts";
import { RELEASE } from "../generate/component-operations.ts";
import { PLACES } from "../generate/places.ts";
import type { Operation } from "../operation.ts";
import { type Document, readObjects } from "./documents.ts";

/** Installs our release, applies it as other managers, and removes it. A cluster has only one, so the batch is not repeatable. */
export function installBatch(): Batch {
  const documents = [...readObjects(`${RELEASE}/crds.yaml`), ...readObjects(`${RELEASE}/keyvault-injector.yaml`)];
  return {
    serial: "install",
    isRepeatable: false,
    setup: [],
    // One object after the other: the webhook configurations come last and go first, because their server does not run.
    operations: [...documents.flatMap(installOperations), ...documents.toReversed().map(removal)],
    watches: [],
    states: [],
  };
}

function installOperations(document: Document): readonly Operation[] {
  const { body, ...at } = document;
  const { place, name } = at;
  const apply = (manager: string, object: JsonObject, force: boolean): Operation => ({
    verb: "apply",
    ...at,
    query: { fieldManager: manager, force: String(force) },
    body: object,
  });
  const settles = place === PLACES.definitions ? { settles: { place, name } } : {};
  const other = withLabels(body, { "app.kubernetes.io/name": "other", "flux.example/of": "us" });
  const bare = { apiVersion: body["apiVersion"] ?? "", kind: body["kind"] ?? "", metadata: { name } };
  return [
    { ...apply("kubectl", body, false), ...settles },
    apply("kubectl", body, false),
    apply("flux", body, false),
    apply("flux", other, false),
    apply("flux", other, true),
    apply("kubectl", body, true),
    apply("flux", bare, false),
    { verb: "merge", ...at, query: { fieldManager: "helm" }, body: { metadata: { annotations: { "meta.helm.sh/release-name": "us" } } } },
    { verb: "replace", ...at, query: { fieldManager: "editor" }, isOverLive: true, body: { metadata: { labels: { edited: "true" } } } },
    apply("kubectl", body, false),
  ];
}

function withLabels(object: JsonObject, labels: JsonObject): JsonObject {
  const metadata = objectAt(object, "metadata");
  return { ...object, metadata: { ...metadata, labels: { ...objectAt(metadata, "labels"), ...labels } } };
}

function removal({ body: _body, ...at }: Document): Operation {
  const { place, name } = at;
  const settles = place === PLACES.definitions || place === PLACES.namespaces ? { settles: { place, name } } : {};
  return { verb: "delete", ...at, body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" }, ...settles };
}
