/** Writes a manifest with its marks as the text of a Helm template. */
import { stringify } from "yaml";
import { assertNever } from "../../src/domain/assert-never.ts";
import { type Json, type JsonMap, type Mark, type Put, resolveStep, stepsOf } from "./place.ts";

/** Namespace in which the sources are rendered. In the template, the release's namespace replaces it. */
export const NAMESPACE = "release-namespace";

/** Placeholder in the YAML for a template. It has only letters and digits, so that YAML does not quote it. */
const token = (index: number): string => `qq${index}qq`;
const TOKEN = /qq(\d+)qq/;

/** The manifest lacks the place of a mark. */
class NoPlace extends Error {}

/** Throws if the manifest lacks the place of a mark, because then the manifest has changed. A variant of a manifest may lack it. */
export function templateOf(
  manifest: JsonMap,
  marks: readonly Mark[],
  { isVariant = false }: { readonly isVariant?: boolean } = {},
): string {
  const puts: Put[] = [];
  let marked: Json = manifest;
  for (const mark of marks) {
    try {
      marked = place(marked, { mark, steps: stepsOf(mark.at), puts });
    } catch (error) {
      if (!(isVariant && error instanceof NoPlace)) throw error;
    }
  }
  const yaml = stringify(marked, { lineWidth: 0, indentSeq: false, aliasDuplicateObjects: false });
  if (yaml.includes("{{")) throw new Error(`${String(marks[0]?.object)} has braces that Helm would take for a template`);
  const lines = yaml.trimEnd().split("\n");
  return withNamespace(lines.map((line) => writeLine(line, puts)).join("\n"));
}

interface Placing {
  readonly mark: Mark;
  readonly steps: readonly string[];
  /** {@link place} appends to it. */
  readonly puts: Put[];
}

/** Returns the value with tokens at the mark's place. */
function place(value: Json, { mark, steps, puts }: Placing): Json {
  const [step, ...rest] = steps;
  if (step === undefined) return placeHere(value, mark, puts);
  const key = resolveStep(value, step);
  if (key === undefined) throw new NoPlace(`${mark.object} has no ${mark.at}: nothing is at ${step}`);
  const isLast = rest.length === 0;
  if (isLast && (mark.put.kind === "when" || mark.put.kind === "item")) return placeEntry(value, key, { put: mark.put, puts });
  const inner = Array.isArray(value) ? (value[Number(key)] ?? null) : ((value as JsonMap)[key] ?? null);
  return withEntry(value, key, place(inner, { mark, steps: rest, puts }));
}

function withEntry(value: Json, key: string | number, entry: Json): Json {
  if (Array.isArray(value)) return value.map((each, index) => (index === key ? entry : each));
  return { ...(value as JsonMap), [key]: entry };
}

function placeHere(value: Json, { put, object, at }: Mark, puts: Put[]): Json {
  if (put.kind === "tail") {
    if (Array.isArray(value)) return [...value, push(put, puts)];
    return { ...(value as JsonMap), [push(put, puts)]: null };
  }
  if (put.kind !== "text" && put.kind !== "inside") return push(put, puts);
  const replaced = replaceText(value, put, puts);
  if (replaced.count === 0) throw new NoPlace(`${object} has no ${JSON.stringify(put.find)} at ${JSON.stringify(at)}`);
  return replaced.value;
}

/** Replaces `find` in every string at and below the value. */
function replaceText(value: Json, put: Put & { kind: "text" | "inside" }, puts: Put[]): { readonly value: Json; readonly count: number } {
  let count = 0;
  const walk = (here: Json): Json => {
    if (typeof here === "string") {
      if (!here.includes(put.find)) return here;
      count += 1;
      return here.replaceAll(put.find, push(put, puts));
    }
    if (Array.isArray(here)) return here.map(walk);
    if (typeof here !== "object" || here === null) return here;
    return Object.fromEntries(Object.entries(here).map(([key, each]) => [key, walk(each)]));
  };
  return { value: walk(value), count };
}

/** Puts tokens around an entry of a map or list, or in its place. */
function placeEntry(value: Json, key: string | number, { put, puts }: { readonly put: Put; readonly puts: Put[] }): Json {
  const before = push(put, puts);
  const after = put.kind === "when" ? push({ kind: "tail", lines: ["{{- end }}"] }, puts) : undefined;
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => {
      if (index !== key) return [each];
      return after === undefined ? [before] : [before, each, after];
    });
  }
  const entries = Object.entries(value as JsonMap).flatMap(([name, each]): [string, Json][] =>
    name === key && after !== undefined
      ? [
          [before, null],
          [name, each],
          [after, null],
        ]
      : [[name, each]],
  );
  return Object.fromEntries(entries);
}

function push(put: Put, puts: Put[]): string {
  puts.push(put);
  return token(puts.length - 1);
}

/** A line of YAML: its indentation, the dashes of lists, its key, and the rest. */
const LINE = /^( *)((?:- )*)((?:"[^"]*"|[^\s"':]+):(?: |$))?(.*)$/;

function writeLine(line: string, puts: readonly Put[]): string {
  const found = TOKEN.exec(line);
  if (found === null) return line;
  const put = puts[Number(found[1])];
  const [, spaces = "", dashes = "", key = "", rest = ""] = LINE.exec(line) ?? [];
  if (put === undefined) throw new Error(`no template for ${line}`);
  const column = spaces.length + dashes.length;
  switch (put.kind) {
    case "scalar":
      return `${spaces}${dashes}${key}{{ ${put.expression} }}`;
    case "text":
      return `${spaces}${dashes}${key}{{ ${printfOf(rest, puts)} }}`;
    case "inside":
      return line.replace(TOKEN, `{{ ${put.expression} }}`);
    case "block":
      return [
        `{{- with ${put.expression} }}`,
        `${spaces}${dashes}${key.trimEnd()}`,
        `{{- toYaml . | nindent ${column + 2} }}`,
        "{{- end }}",
      ].join("\n");
    case "when":
      return `{{- if ${put.condition} }}`;
    case "tail":
    case "item":
      return put.lines.map((each) => indented(each, spaces.length)).join("\n");
    default:
      return assertNever(put);
  }
}

/** Lines with control structures of the template stay at the margin. `$HERE` is the column of the line, `$NEXT` two more. */
function indented(line: string, column: number): string {
  const numbered = line.replaceAll("$HERE", String(column)).replaceAll("$NEXT", String(column + 2));
  return numbered.startsWith("{{-") ? numbered : `${" ".repeat(column)}${numbered}`;
}

function printfOf(scalarText: string, puts: readonly Put[]): string {
  if (/^["'|>]/.test(scalarText)) throw new Error(`${scalarText} is not a plain scalar`);
  const expressions: string[] = [];
  const format = scalarText.replaceAll("%", "%%").replaceAll(/qq(\d+)qq/g, (_, index: string) => {
    const put = puts[Number(index)];
    if (put?.kind !== "text") throw new Error(`${scalarText} mixes templates`);
    expressions.push(put.expression);
    return "%v";
  });
  return `printf \`${format}\` ${expressions.map((expression) => `(${expression})`).join(" ")} | quote`;
}

function withNamespace(template: string): string {
  const whole = new RegExp(`^((?: |- )*(?:[A-Za-z]+: )?)${NAMESPACE}$`, "gm");
  return template.replaceAll(whole, "$1{{ $.Release.Namespace | quote }}").replaceAll(NAMESPACE, "{{ $.Release.Namespace }}");
}
