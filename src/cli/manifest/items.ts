import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import type { ManifestDocument, Place } from "./documents.ts";

/** One Kubernetes object of the files: a document, or an item of a List. */
export interface ManifestItem {
  readonly object: JsonObject;
  readonly kind: string;
  readonly name: string;
  /** As written; undefined where the object names none. */
  readonly namespace: string | undefined;
  readonly place: Place;
  placeOf(path: readonly (string | number)[]): Place;
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
  const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  return {
    object,
    kind: textOf(object["kind"]) ?? "unknown kind",
    name: textOf(metadata["name"]) ?? `${textOf(metadata["generateName"]) ?? ""}*`,
    namespace: textOf(metadata["namespace"]),
    // Found when it is asked for: the lines of a document take as much memory as the document.
    get place() {
      return path.length === 0 ? document.place : document.placeOf(path);
    },
    placeOf: (inner) => document.placeOf([...path, ...inner]),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
