import { memberOf, nonEmptyText, objectAt } from "../../domain/json-members.ts";
import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { POD_TEMPLATE_KINDS } from "../../domain/pod-templates.ts";
import type { DocumentPlace, ManifestDocument } from "./documents.ts";

/** One Kubernetes object in the files: a document, or an item of a List. */
export interface ManifestItem {
  readonly object: JsonObject;
  readonly kind: string;
  readonly name: string;
  /** Namespace as written; undefined if the object names none. */
  readonly namespace: string | undefined;
  readonly place: DocumentPlace;
  placeOf(path: readonly (string | number)[]): DocumentPlace;
}

/** Returns the objects of a document: itself, or the objects in its `items`, including those of nested Lists. */
export function itemsOf(document: ManifestDocument): readonly ManifestItem[] {
  return itemsAt(document.object, [], document);
}

/** Returns the document with its objects replaced, in the order of {@link itemsOf}. Undefined removes an item, or the document. */
export function withItems(document: ManifestDocument, objects: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  return replacing(objects)(document.object);
}

/** An item of a List before and after; `after` is undefined if the item was removed. */
export interface ReplacedItem {
  readonly before: unknown;
  readonly after: unknown;
}

/** Returns the List's direct items, each replaced as in {@link withItems}; undefined if the document is not a List. */
export function replacedItems(
  document: ManifestDocument,
  objects: readonly (JsonObject | undefined)[],
): readonly ReplacedItem[] | undefined {
  const replace = replacing(objects);
  return listItems(document.object)?.map((item) => ({ before: item, after: isJsonObject(item) ? replace(item) : item }));
}

function replacing(objects: readonly (JsonObject | undefined)[]): (object: JsonObject) => JsonObject | undefined {
  let next = 0;
  const replace = (object: JsonObject): JsonObject | undefined => {
    const items = listItems(object);
    if (items !== undefined) {
      return { ...object, items: items.map((item) => (isJsonObject(item) ? replace(item) : item)).filter((item) => item !== undefined) };
    }
    next += 1;
    return objects[next - 1];
  };
  return replace;
}

type Path = readonly (string | number)[];

function itemsAt(object: JsonObject, path: Path, document: ManifestDocument): readonly ManifestItem[] {
  const items = listItems(object);
  if (items === undefined) return [itemAt(object, path, document)];
  return items.flatMap((item, index) => (isJsonObject(item) ? itemsAt(withKind(item, object), [...path, "items", index], document) : []));
}

function listItems({ kind, items }: JsonObject): readonly unknown[] | undefined {
  return typeof kind === "string" && kind.endsWith("List") && Array.isArray(items) ? items : undefined;
}

/** Adds apiVersion and kind to an item of a typed list (`PodList`), which may omit them. */
function withKind(item: JsonObject, { apiVersion, kind }: JsonObject): JsonObject {
  if (kind === "List" || typeof kind !== "string") return item;
  return { apiVersion, kind: kind.slice(0, -"List".length), ...item };
}

function itemAt(object: JsonObject, path: Path, document: ManifestDocument): ManifestItem {
  const metadata = memberOf(object, "metadata");
  return {
    object,
    kind: nonEmptyText(object["kind"]) ?? "unknown kind",
    name: nonEmptyText(metadata["name"]) ?? `${nonEmptyText(metadata["generateName"]) ?? ""}*`,
    namespace: nonEmptyText(metadata["namespace"]),
    // Computed on demand: the lines of a document take as much memory as the document.
    get place() {
      return path.length === 0 ? document.place : document.placeOf(path);
    },
    placeOf: (inner) => document.placeOf([...path, ...inner]),
  };
}

/** Path of the pod template in each kind that creates pods. An empty path means that the object is the pod itself. */
const TEMPLATES: ReadonlyMap<string, { readonly group: string; readonly path: readonly string[] }> = new Map([
  ["Pod", { group: "", path: [] }],
  ["PodTemplate", { group: "", path: ["template"] }],
  ["ReplicationController", { group: "", path: ["spec", "template"] }],
  ...POD_TEMPLATE_KINDS.map(({ kind, group, path }) => [kind, { group, path }] as const),
]);

/** Returns the path of the pod, or of its template, in an object; undefined for a kind that creates no pods. */
export function podPath(object: JsonObject): readonly string[] | undefined {
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
  const template = TEMPLATES.get(kind);
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return template?.group === group ? template.path : undefined;
}

/** Returns the pod that the object is, or that its controller would create; undefined if nothing is at the path. */
export function podAt(object: JsonObject, path: readonly string[]): JsonObject | undefined {
  if (path.length === 0) return object;
  const template = objectAt(object, path);
  if (template === undefined) return undefined;
  // A controller copies these fields. A template without metadata produces a pod without annotations.
  return { apiVersion: "v1", kind: "Pod", metadata: template["metadata"] ?? {}, spec: template["spec"] };
}

/** Returns the object with the pod at the path. */
export function withPodAt(object: JsonObject, path: readonly string[], pod: JsonObject): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) return "apiVersion" in object ? pod : { ...object, metadata: pod["metadata"], spec: pod["spec"] };
  const inner = memberOf(object, step);
  return { ...object, [step]: withPodAt(inner, rest, pod) };
}
