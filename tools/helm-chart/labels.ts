/** Labels by which people and tools find the objects of a release. Selectors use labels of the manifests, not these. */
import { type JsonMap, type Mark, tail } from "./place.ts";

const NAME = "app.kubernetes.io/name";
const PART_OF = "app.kubernetes.io/part-of";

/** Values with labels for one object. They have priority over the labels for all objects. */
const OWN: readonly (readonly [object: RegExp, expression: string])[] = [
  [/^ServiceAccount\/keyvault-injector-webhook$/, "($.Values.webhook.serviceAccount).labels"],
  [/^ServiceAccount\/keyvault-injector-sync$/, "($.Values.sync.serviceAccount).labels"],
  [/^(DaemonSet\/csi-secrets-store(-windows)?|CSIDriver\/.*)$/, `(index $.Values "secrets-store-csi-driver").commonLabels`],
];

/** The object with a map of labels, also if it had none. */
export function withLabels(object: JsonMap): JsonMap {
  const metadata = object["metadata"] as JsonMap; // Every object that kustomize takes has one.
  return { ...object, metadata: { ...metadata, labels: metadata["labels"] ?? {} } };
}

/**
 * Adds only labels that the manifest does not have. The driver and the provider, which have `part-of` labels of their own, keep their names
 * and versions.
 */
export function labelMark(name: string, object: JsonMap): Mark {
  const { labels = {} } = object["metadata"] as { readonly labels?: JsonMap }; // As above.
  const isOurs = labels[PART_OF] === undefined;
  const fixed = isOurs ? [`${PART_OF}: keyvault-injector`, "app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}"] : [];
  const app = isOurs ? "keyvault-injector" : labels["app"];
  if (labels[NAME] === undefined && typeof app === "string") fixed.push(`${NAME}: ${app}`);
  const [, expression = "dict"] = OWN.find(([pattern]) => pattern.test(name)) ?? [];
  return {
    object: name,
    at: "metadata/labels",
    put: tail(...fixed, `{{- include "keyvault-injector.labels" (list $ (${expression})) | nindent $HERE }}`),
  };
}
