/** Reads manifest files with kubectl's own code in a Go process, and with ours in this process. */

import { DocumentError } from "../../../src/cli/manifest/document-error.ts";
import { documentTexts } from "../../../src/cli/manifest/document-texts.ts";
import { decodeFile, readText } from "../../../src/cli/manifest/read-text.ts";
import { builtProgram } from "../../e2e/support/binaries.ts";
import { startLineProcess } from "../../support/processes/line-process.ts";

/** Result for one document: its value as JSON with sorted keys, or the reason why it has none. */
export type ReadDocument =
  | { readonly kind: "value"; readonly json: string; readonly value: unknown }
  | { readonly kind: "problem"; readonly message: string };

export interface ReadFile {
  /** Without null documents. */
  readonly documents: readonly ReadDocument[];
  /** Reason why the rest was not read. Only kubectl stops at a mistake. */
  readonly error?: string;
}

export interface ManifestJudge {
  read(file: Uint8Array): Promise<ReadFile>;
  stop(): Promise<void>;
}

interface Answer {
  readonly documents: readonly { readonly value?: string; readonly error?: string }[];
  readonly error?: string;
}

export async function startManifestJudge(): Promise<ManifestJudge> {
  const judge = startLineProcess<object, Answer>({ command: await builtProgram("manifest-judge") });
  return {
    read: async (file) => {
      const { documents, error } = await judge.ask({ file: Buffer.from(file).toString("base64") });
      const read = documents.map(({ value = "null", error: message }): ReadDocument => {
        return message === undefined ? valueOf(parsed(value)) : { kind: "problem", message };
      });
      return { documents: read, ...(error === undefined ? {} : { error }) };
    },
    stop: () => judge.stop(),
  };
}

export function ourReading(file: Uint8Array): ReadFile {
  const documents: ReadDocument[] = [];
  for (const source of documentTexts(decodeFile(file))) {
    if (source.kind === "unreadable") documents.push({ kind: "problem", message: source.message });
    else {
      const read = documentOf(() => readText(source).finish());
      if (read.kind === "problem" || read.value !== null) documents.push(read);
    }
  }
  return { documents };
}

function documentOf(read: () => unknown): ReadDocument {
  try {
    return valueOf(read());
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return { kind: "problem", message: error.message };
  }
}

function valueOf(value: unknown): ReadDocument {
  return { kind: "value", json: canonical(value), value };
}

/** Compares numbers by their value: `1e3` and 1000 are equal, 9007199254740993 and its neighbor are not. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === "bigint") return `integer ${inner}`;
    if (typeof inner === "number" && Number.isInteger(inner) && !Number.isSafeInteger(inner)) return `integer ${BigInt(inner)}`;
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

const INTEGER = /^-?[0-9]+$/;

/** Keeps integers exact that a number would round, if kubectl also keeps them. */
function parsed(json: string): unknown {
  const revive = (_: string, value: unknown, { source }: { readonly source?: string }): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    return source !== undefined && INTEGER.test(source) && BigInt.asIntN(64, BigInt(source)) === BigInt(source) ? BigInt(source) : value;
  };
  // TypeScript's library lacks the third argument of the reviver.
  return JSON.parse(json, revive as (this: unknown, key: string, value: unknown) => unknown);
}

export type Verdict =
  | { readonly kind: "equal" }
  | { readonly kind: "listed"; readonly row: ListedRow }
  | { readonly kind: "unexplained"; readonly ours: string; readonly theirs: string };

/** Differences in docs/reference/cli.md, with a function that recognizes each. */
const ROWS = {
  "unread-characters": ({ ours, theirs }: Compared) =>
    theirs.documents.length === ours.documents.length && problems(ours).some((message) => message.startsWith("control characters")),
  depth: ({ ours }: Compared) => problems(ours).some((message) => message.startsWith("nested deeper than")),
  "more-read": ({ ours, theirs }: Compared) => theirs.error !== undefined && firstDifference(ours, theirs) === undefined,
  "no-mapping": ({ ours, theirs }: Compared) => {
    const document = firstDifference(ours, theirs);
    return document?.kind === "value" && !document.json.startsWith("{");
  },
  separators: ({ ours }: Compared) => /[\u2028\u2029]/.test(shown(ours)),
} as const;

export type ListedRow = keyof typeof ROWS;
export const LISTED_ROWS = Object.keys(ROWS) as readonly ListedRow[]; // Keys of a constant object.

export interface Compared {
  readonly ours: ReadFile;
  readonly theirs: ReadFile;
}

/** kubectl stops at the first mistake. Compares the documents before it, and requires that we also found a mistake after them. */
export function compareReadings(compared: Compared): Verdict {
  const { ours, theirs } = compared;
  const isSame = firstDifference(ours, theirs) === undefined;
  const ends = theirs.error === undefined ? ours.documents.length === theirs.documents.length : problems(ours).length > 0;
  if (isSame && ends) return { kind: "equal" };
  const row = LISTED_ROWS.find((each) => ROWS[each](compared));
  return row === undefined ? { kind: "unexplained", ours: shown(ours), theirs: shown(theirs) } : { kind: "listed", row };
}

/** First document of kubectl that differs from ours. */
function firstDifference(ours: ReadFile, theirs: ReadFile): ReadDocument | undefined {
  return theirs.documents.find((document, index) => !same(ours.documents[index], document));
}

function same(left: ReadDocument | undefined, right: ReadDocument | undefined): boolean {
  if (left?.kind === "value" && right?.kind === "value") return left.json === right.json;
  return left?.kind === right?.kind;
}

function problems({ documents }: ReadFile): readonly string[] {
  return documents.flatMap((document) => (document.kind === "problem" ? [document.message] : []));
}

function shown({ documents, error }: ReadFile): string {
  const each = documents.map((document) => (document.kind === "value" ? document.json : `problem: ${document.message}`));
  return [...each, ...(error === undefined ? [] : [`given up: ${error}`])].join("\n");
}
