import { memberOf, nonEmptyText, objectAt } from "../../domain/json-members.ts";
import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { POD_TEMPLATE_KINDS } from "../../domain/pod-templates.ts";
import type { DocumentPlace, ManifestDocument } from "./documents.ts";

/** One Kubernetes object of the files: a document, or an item of a List. */
export interface ManifestItem {
  readonly object: JsonObject;
  readonly kind: string;
  readonly name: string;
  /** As written; undefined where the object names none. */
  readonly namespace: string | undefined;
  readonly place: DocumentPlace;
  placeOf(path: readonly (string | number)[]): DocumentPlace;
}

/** The objects of a document: itself, or what its `items` hold, Lists of Lists included. */
export function itemsOf(document: ManifestDocument): readonly ManifestItem[] {
  return itemsAt(document.object, [], document);
}

/**
 * The document with its objects replaced, in the order of {@link itemsOf}. Undefined leaves an item of a List out, or the whole
 * document.
 */
export function withItems(document: ManifestDocument, objects: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  return replacing(objects)(document.object);
}

/** An item of a List, and what has become of it; undefined where it is left out. */
export interface ReplacedItem {
  readonly before: unknown;
  readonly after: unknown;
}

/** The items that a List has itself, each replaced as in {@link withItems}; undefined where the document is no List. */
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

/** The items of a typed list (`PodList`) need not say what they are. */
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
    // Found when it is asked for: the lines of a document take as much memory as the document.
    get place() {
      return path.length === 0 ? document.place : document.placeOf(path);
    },
    placeOf: (inner) => document.placeOf([...path, ...inner]),
  };
}

/** Where the kinds that make pods hold the pod's template. An empty path: the object is the pod itself. */
const TEMPLATES: ReadonlyMap<string, { readonly group: string; readonly path: readonly string[] }> = new Map([
  ["Pod", { group: "", path: [] }],
  ["PodTemplate", { group: "", path: ["template"] }],
  ["ReplicationController", { group: "", path: ["spec", "template"] }],
  ...POD_TEMPLATE_KINDS.map(({ kind, group, path }) => [kind, { group, path }] as const),
]);

/** Path of the pod, or of its template, in an object; undefined for a kind that makes no pods. */
export function podPath(object: JsonObject): readonly string[] | undefined {
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
  const template = TEMPLATES.get(kind);
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return template?.group === group ? template.path : undefined;
}

/** The pod that the object is, or that its controller would create. Undefined where there is nothing at the path. */
export function podAt(object: JsonObject, path: readonly string[]): JsonObject | undefined {
  if (path.length === 0) return object;
  const template = objectAt(object, path);
  if (template === undefined) return undefined;
  // What a controller copies; a template without metadata makes a pod without annotations.
  return { apiVersion: "v1", kind: "Pod", metadata: template["metadata"] ?? {}, spec: template["spec"] };
}

/** The object with that pod in its place. */
export function withPodAt(object: JsonObject, path: readonly string[], pod: JsonObject): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) return "apiVersion" in object ? pod : { ...object, metadata: pod["metadata"], spec: pod["spec"] };
  const inner = memberOf(object, step);
  return { ...object, [step]: withPodAt(inner, rest, pod) };
}
