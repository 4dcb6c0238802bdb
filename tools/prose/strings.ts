/** Words in the texts of the code, such as messages, that name no actor. */
import { labelOf, parsedCode } from "./parsed-code.ts";

const NO_ACTOR = /\b(?:some|no|any|every)body\b/i;

interface StringFinding {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** Returns one finding for each string or part of a template with such a word. */
export function findingsInStrings(code: string): readonly StringFinding[] {
  const { tokens } = parsedCode(code);
  return (tokens ?? []).flatMap(({ type, value, loc }) => {
    const [word] = isText(type) && typeof value === "string" ? (NO_ACTOR.exec(value) ?? []) : [];
    return word === undefined
      ? []
      : [{ line: loc.start.line, message: `no-actor: "${word}": name the actor, or use "no one" or "someone"` }];
  });
}

function isText(type: unknown): boolean {
  const label = labelOf(type);
  return label === "string" || label.startsWith("template") || label.includes("${") || label.includes("`");
}
