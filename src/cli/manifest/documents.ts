import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { KUBERNETES_YAML } from "./yaml.ts";

/** Where something stands in what the user gave us. */
export interface Place {
  /** As the user named it; `-` is standard input. */
  readonly file: string;
  /** Of the file, from 1. */
  readonly line: number;
}

/** One YAML document, and where each of its fields stands. */
export interface ManifestDocument {
  readonly place: Place;
  /** In the file, from 1; empty documents do not count. */
  readonly number: number;
  readonly object: JsonObject;
  /** Of the field's key, or of the nearest field around it. */
  placeOf(path: readonly (string | number)[]): Place;
}

/** What cannot be read as a manifest. */
export interface ManifestProblem {
  readonly place: Place;
  readonly message: string;
}

export interface Manifests {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
}

/** Reads one file. JSON is YAML. A document that cannot be read is a problem; the others are read all the same. */
export function readManifests(file: string, text: string): Manifests {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...KUBERNETES_YAML, lineCounter: lines, prettyErrors: false });
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  const placeAt = (offset: number): Place => ({ file, line: lines.linePos(Math.min(offset, text.length)).line || 1 });
  for (const document of parsed) {
    const read = readDocument(document, placeAt, documents.length + problems.length + 1);
    if (read === undefined) continue;
    if ("message" in read) problems.push(read);
    else documents.push(read);
  }
  return { documents, problems };
}

function readDocument(
  document: Document.Parsed,
  placeAt: (offset: number) => Place,
  number: number,
): ManifestDocument | ManifestProblem | undefined {
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined)
    return { place: placeAt(error.pos[0]), message: `not YAML that kubectl reads: ${error.message.split("\n")[0] ?? ""}` };
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return undefined;
  const start = contents.range[0];
  const place = placeAt(start);
  const value = toJson(document);
  if (!isJsonObject(value)) return { place, message: "not a Kubernetes object; write apiVersion, kind and metadata" };
  const missing = ["apiVersion", "kind"].find((field) => typeof value[field] !== "string" || value[field] === "");
  if (missing !== undefined) return { place, message: `${missing} is missing or not a string; write ${EXAMPLES[missing] ?? ""}` };
  return { place, number, object: value, placeOf: (path) => placeAt(offsetOf(document, path) ?? start) };
}

const EXAMPLES: Readonly<Record<string, string>> = {
  apiVersion: "apiVersion: v1 for a Pod",
  kind: "kind: Pod, Deployment or another kind",
};

/** Undefined where aliases make far more of it than was written. */
function toJson(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch {
    return undefined;
  }
}

function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    const inner = child(node, step);
    if (inner === undefined) return offset;
    offset = inner.offset ?? offset;
    node = inner.node;
  }
  return offset;
}

function child(node: unknown, step: string | number): { readonly node: unknown; readonly offset: number | undefined } | undefined {
  if (isSeq(node) && typeof step === "number") {
    const item = node.items[step];
    return item === undefined ? undefined : { node: item, offset: isNode(item) ? item.range?.[0] : undefined };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
  return pair === undefined ? undefined : { node: pair.value, offset: isScalar(pair.key) ? pair.key.range?.[0] : undefined };
}

export function showPlace({ file, line }: Place): string {
  return `${file === "-" ? "standard input" : file}:${line}`;
}
