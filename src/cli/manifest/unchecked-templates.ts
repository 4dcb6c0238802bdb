/** Finds keys of the project in the pod templates of kinds that no command knows, such as those of KEDA and Knative. */
import { CLASS_ANNOTATIONS, PREFIX, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { type FieldPath, fieldText } from "../../domain/convert/peer-object.ts";
import { isJsonObject } from "../../domain/json-object.ts";
import { INPUT_ANNOTATIONS } from "../../domain/misplaced-keys.ts";
import { type ManifestItem, podPath } from "./items.ts";

export interface UncheckedTemplate {
  /** Path of the mapping with the keys: annotations or labels, which a chart may call `podAnnotations`. */
  readonly path: FieldPath;
  readonly message: string;
}

/** Keys that an object inside another object may have, although that object is not a pod template. */
const OF_OTHERS: readonly string[] = [...Object.values(CLASS_ANNOTATIONS), ...Object.values(SECRET_ANNOTATIONS)].filter(
  (key) => !INPUT_ANNOTATIONS.includes(key),
);

/** Mappings that choose pods by their labels. */
const SELECTORS: readonly string[] = ["matchLabels", "selector", "nodeSelector"];

/** Returns each place in the object where its author wrote keys for pods; nothing for a kind whose pod template is known. */
export function uncheckedTemplates({ object, kind }: ManifestItem): readonly UncheckedTemplate[] {
  if (podPath(object) !== undefined) return [];
  const { metadata: _own, ...rest } = object;
  return placesIn(rest, []).map((path) => ({
    path,
    message: `${fieldText(path)} is not checked, because this command does not know which pods a ${kind} creates: to check it, give the command a Pod with the same metadata and spec`,
  }));
}

function placesIn(value: unknown, path: FieldPath): readonly FieldPath[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => placesIn(item, [...path, index]));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = [...path, name];
    return !SELECTORS.includes(name) && hasKeyForPods(inner) ? [here] : placesIn(inner, here);
  });
}

function hasKeyForPods(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).some((key) => key.startsWith(`${PREFIX}/`) && !OF_OTHERS.includes(key));
}
