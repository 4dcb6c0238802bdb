/** Private words in the names of the code: the glossary has a term of the field for each. */
import { labelOf, parsedCode } from "./parsed-code.ts";

/** The words, each with the term to use. `lookUp` and `looksLike` are English. */
const PRIVATE_WORDS: readonly (readonly [pattern: RegExp, term: string])[] = [
  [/\b(?:told|untold|tells?|tellers?|telling)\b/, "report"],
  [/\blook(?:ed|ing)?\b(?! up)|\blooks\b(?! like)/, "check, read or reconcile"],
  [/\b(?:heirs?|elders?)\b/, "next owner or preferred owner"],
];

interface NameFinding {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** Returns one finding for each line and name. */
export function findingsInNames(code: string): readonly NameFinding[] {
  const { tokens } = parsedCode(code);
  const found = new Map<string, NameFinding>();
  for (const { type, value, loc } of tokens ?? []) {
    if (!isName(type) || typeof value !== "string") continue;
    const words = value
      .replaceAll(/([a-z\d])(?=[A-Z])|_/g, "$1 ")
      .trim()
      .toLowerCase();
    const [, term] = PRIVATE_WORDS.find(([pattern]) => pattern.test(words)) ?? [];
    if (term !== undefined)
      found.set(`${loc.start.line} ${value}`, { line: loc.start.line, message: `private-name: "${value}": the term is ${term}` });
  }
  return [...found.values()];
}

function isName(type: unknown): boolean {
  return ["name", "#name"].includes(labelOf(type));
}
