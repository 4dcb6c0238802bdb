import { globSync } from "node:fs";
import { REPOSITORY, readRepositoryFile } from "../repository-files.ts";

/** A line that the product can log, read from its source. */
export interface LogCall {
  readonly file: string;
  readonly level: string;
  readonly message: string;
  readonly fields: readonly string[];
}

/** Functions that log their first argument. */
const WRAPPERS: readonly { readonly file: string; readonly name: string; readonly level: string; readonly fields: readonly string[] }[] = [
  { file: "src/kube/reflector.ts", name: "#guarded", level: "error", fields: ["namespace", "name", "error"] },
  { file: "src/kube/lease.ts", name: "tried", level: "warn", fields: ["lease", "error"] },
  { file: "src/kube/lease-search.ts", name: "tried", level: "warn", fields: ["lease", "error"] },
  { file: "src/kube/lease-store.ts", name: "tried", level: "warn", fields: ["lease", "error"] },
];

/** Fields that are not literals in the call. */
const EXPANSIONS: Readonly<Record<string, readonly string[]>> = {
  "src/kube/reflector.ts ...ref": ["namespace", "name"],
  "src/sync/classes/apply.ts reported": ["class", "secret", "why"],
  "src/sync/classes/report.ts fields": ["class", "reason", "detail"],
  "src/sync/classes/report.ts named": ["class", "detail"],
  "src/sync/rollouts/rollout-report.ts fields": ["kind", "workload", "reason", "detail"],
  "src/sync/secrets/write-secret.ts ...whyOf(action)": ["why"],
  "src/tls/authority-keeper.ts fields": ["secret", "reason", "problem"],
  "src/tls/authority-keeper.ts ...fields": ["secret", "reason", "problem"],
  "src/webhook/pod-handler.ts ...whereFrom(error)": ["errorName", "frames"],
};

/** Every logger call of the product, except `debug` calls and the command line. Throws if it cannot parse a call. */
export function logCalls(): readonly LogCall[] {
  const files = globSync("src/**/*.ts", { cwd: REPOSITORY }).filter(
    (file) => !file.startsWith("src/cli/") && file !== "src/runtime/logger.ts",
  );
  return files.sort().flatMap((file) => callsIn(file, readRepositoryFile(file)));
}

export function callsIn(file: string, text: string): readonly LogCall[] {
  const direct = [...text.matchAll(/[lL]ogger(?:\.(info|warn|error)|\[([^\]]+)\])\(/g)].flatMap((match) => {
    const [message = "", ...rest] = argumentsAt(text, match.index + match[0].length);
    const levels = match[1] === undefined ? literalsIn(match[2] ?? "") : [match[1]];
    const wrapper = WRAPPERS.find((each) => each.file === file && message === "message");
    const messages = wrapper === undefined ? literalsIn(message) : [];
    if (wrapper === undefined && messages.length === 0) throw new Error(`${file}: ${message} is no literal, so that nobody can look it up`);
    const fields = rest[0] === undefined ? [] : fieldsOf(file, rest[0]);
    return messages.flatMap((each) => levels.map((level) => ({ file, level, message: each, fields })));
  });
  return [...direct, ...wrapped(file, text)];
}

function wrapped(file: string, text: string): readonly LogCall[] {
  return WRAPPERS.filter((wrapper) => wrapper.file === file).flatMap(({ name, level, fields }) =>
    [...text.matchAll(new RegExp(`${name}\\("([^"]*)"`, "g"))].map(([, message = ""]) => ({ file, level, message, fields })),
  );
}

function literalsIn(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
    .filter(({ index }) => !/===\s*$/.test(text.slice(0, index)))
    .map(([, literal = ""]) => literal);
}

function fieldsOf(file: string, text: string): readonly string[] {
  const known = EXPANSIONS[`${file} ${text}`];
  if (known !== undefined) return known;
  if (!text.startsWith("{"))
    throw new Error(`${file}: the fields ${text} do not stand in the call; say in tools/reference/log-calls.ts which they are`);
  return argumentsAt(text, 1).flatMap((entry) => {
    const expanded = EXPANSIONS[`${file} ${entry}`];
    if (expanded !== undefined) return expanded;
    if (!entry.startsWith("...")) return [/^\w+/.exec(entry)?.[0] ?? entry];
    const inner = [...entry.matchAll(/\{([^{}]*)\}/g)].flatMap(([, body = ""]) => argumentsAt(`${body})`, 0));
    if (inner.length === 0) throw new Error(`${file}: ${entry} does not say its fields; add them to tools/reference/log-calls.ts`);
    return inner.map((each) => /^\w+/.exec(each)?.[0] ?? each);
  });
}

/** The arguments, or entries, from a position up to the closing bracket. */
function argumentsAt(text: string, start: number): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let from = start;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === '"' || character === "`") at = endOfString(text, at);
    else if ("([{".includes(character)) depth++;
    else if (")]}".includes(character) && depth-- === 0)
      return [...found, text.slice(from, at)].map((part) => part.trim()).filter((part) => part !== "");
    else if (character === "," && depth === 0) {
      found.push(text.slice(from, at));
      from = at + 1;
    }
  }
  throw new Error("a call does not end");
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== text[start]) at += text[at] === "\\" ? 2 : 1;
  return at;
}
