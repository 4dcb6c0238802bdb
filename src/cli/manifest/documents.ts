import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { DocumentError } from "./document-error.ts";
import { type DocumentText, documentTexts, type ReadableText } from "./document-texts.ts";
import type { DocumentBuilder } from "./document-value.ts";
import { readText } from "./read-text.ts";

/** Place in the user's input. */
export interface DocumentPlace {
  /** Name that the user gave; `-` is standard input. */
  readonly file: string;
  /** Line of the file, from 1. */
  readonly line: number;
}

/** One document, with the places of its fields. */
export interface ManifestDocument {
  readonly place: DocumentPlace;
  /** Number of the document in the file, from 1; empty documents do not count. */
  readonly number: number;
  /** Integers that a number would round are `bigint`. */
  readonly object: JsonObject;
  /** Approximate number of characters that it takes to print the object, aliases written out. */
  readonly characters: number;
  /** Returns the place of the field's key, or of the nearest field around it. */
  placeOf(path: readonly (string | number)[]): DocumentPlace;
}

/** Problem, or possible problem, of a document. */
export interface ManifestProblem {
  readonly place: DocumentPlace;
  readonly message: string;
}

export interface Manifests {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
  /** Problems that kubectl silently accepts, and that the author may not have intended. */
  readonly warnings: readonly ManifestProblem[];
}

/** Reads one file as kubectl does. Reports a document that cannot be read as a problem, and reads the others. */
export function readManifests(file: string, text: string): Manifests {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  const warnings: ManifestProblem[] = [];
  for (const source of documentTexts(text)) {
    const read = readDocument(source, file, documents.length + problems.length + 1);
    for (const warning of read.warnings) warnings.push(warning);
    if (read.document !== undefined) documents.push(read.document);
    if (read.problem !== undefined) problems.push(read.problem);
  }
  return { documents, problems, warnings };
}

/** A class whose objects have no functions of their own, because there may be a hundred thousand of them. */
class ReadDocument implements ManifestDocument {
  readonly place: DocumentPlace;
  readonly number: number;
  readonly object: JsonObject;
  readonly characters: number;
  readonly #source: ReadableText;
  #lines: DocumentBuilder | undefined;

  constructor(
    source: ReadableText,
    object: JsonObject,
    { place, number, characters }: Pick<ManifestDocument, "place" | "number" | "characters">,
  ) {
    this.#source = source;
    this.object = object;
    this.place = place;
    this.number = number;
    this.characters = characters;
  }

  placeOf(path: readonly (string | number)[]): DocumentPlace {
    // Reads the document again: only few documents need lines, and lines take as much memory as the document.
    this.#lines ??= readText(this.#source);
    return placeAt(this.place.file, this.#source, this.#lines.lineOf(path));
  }
}

function placeAt(file: string, source: DocumentText, line: number): DocumentPlace {
  return { file, line: source.line + line - 1 };
}

interface Reading {
  readonly document?: ManifestDocument;
  readonly problem?: ManifestProblem;
  readonly warnings: readonly ManifestProblem[];
}

const NOTHING: readonly ManifestProblem[] = [];

function readDocument(source: DocumentText, file: string, number: number): Reading {
  if (source.kind === "unreadable") return { problem: { place: placeAt(file, source, 1), message: source.message }, warnings: NOTHING };
  try {
    const builder = readText(source);
    const value = builder.finish();
    const warnings = builder.warnings.map(({ line, message }) => ({ place: placeAt(file, source, line), message }));
    if (value === null) return { warnings };
    const place = placeAt(file, source, builder.line ?? 1);
    const wrong = wrongWith(value, file);
    if (wrong !== undefined || !isJsonObject(value)) return { problem: { place, message: wrong ?? NO_OBJECT }, warnings };
    return { document: new ReadDocument(source, value, { place, number, characters: builder.characters }), warnings };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    const message = `not YAML that kubectl reads: ${error.message}`;
    return { problem: { place: placeAt(file, source, error.line), message }, warnings: NOTHING };
  }
}

const NO_OBJECT = "not a Kubernetes object; write apiVersion, kind and metadata";

/** Names that kustomize gives its files, which need neither version nor kind. */
const KUSTOMIZATION = /(?:^|[/\\])kustomization\.ya?ml$/i;

/** Returns why the value is not an object of a cluster; undefined if it is one. */
function wrongWith(value: unknown, file: string): string | undefined {
  if (!isJsonObject(value)) return NO_OBJECT;
  const { apiVersion } = value;
  const isOfKustomize = typeof apiVersion === "string" ? apiVersion.startsWith("kustomize.config.k8s.io/") : KUSTOMIZATION.test(file);
  if (isOfKustomize) return "this is a kustomization; use -k FOLDER to build it";
  const missing = ["apiVersion", "kind"].find((field) => typeof value[field] !== "string" || value[field] === "");
  return missing === undefined ? undefined : `${missing} is missing or not a string; write ${EXAMPLES[missing] ?? ""}`;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  apiVersion: "apiVersion: v1 for a Pod",
  kind: "kind: Pod, Deployment or another kind",
};

export function showPlace({ file, line }: DocumentPlace): string {
  return `${shownFile(file)}:${line}`;
}

export function shownFile(file: string): string {
  return file === "-" ? "standard input" : file;
}
