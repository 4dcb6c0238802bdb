/** Pieces of CEL, as text. */
import type { Placeholders } from "../../src/domain/injection/messages.ts";
import { SHOWN_LENGTH, UNSEEN } from "../../src/domain/quoted.ts";

const ELLIPSIS = "...";

/** A string literal. */
export function text(value: string): string {
  return JSON.stringify(value);
}

export function list(values: readonly string[]): string {
  return `[${values.map(text).join(", ")}]`;
}

/** A string literal of a regular expression of RE2. */
export function regex(source: string | RegExp): string {
  return text(typeof source === "string" ? source : source.source);
}

/** One value under a name that an expression may use more than once. */
export function bind(name: string, value: string, expression: string): string {
  return `[${value}].map(${name}, ${expression})[0]`;
}

/** Alternatives in their order, each with its condition, and what holds where none does. */
export function choose(cases: readonly (readonly [condition: string, value: string])[], otherwise: string): string {
  return cases.reduceRight((rest, [condition, value]) => `(${condition} ? ${value} : ${rest})`, otherwise);
}

/** A message of the webhook's with expressions in the places of the words in braces. */
export function message<const Template extends string>(
  template: Template,
  values: Readonly<Record<Placeholders<Template>, string>>,
): string {
  const known = new Map<string, string>(Object.entries<string>(values));
  const parts = template.split(/(\{\w+\})/).filter((part) => part !== "");
  return parts.map((part) => (part.startsWith("{") ? known.get(part.slice(1, -1)) : undefined) ?? text(part)).join(" + ");
}

/** Somebody's text in quotes, cut as the webhook cuts it. CEL cannot escape what a terminal obeys: a text that has such is not shown. */
export function quoted(value: string): string {
  const shown = bind("shown", value, cut("shown", SHOWN_LENGTH));
  return bind("shown", shown, `shown.matches(${regex(UNSEEN)}) ? ${text('"(characters that cannot be shown)"')} : strings.quote(shown)`);
}

/**
 * The pieces of a text between separators, or `otherwise` where it is longer than so many characters, or has more than so many pieces. Nothing
 * else takes a text apart: walking a list costs the API server the square of its length, of which CEL's own cost says little.
 */
export function pieces(value: string, separator: string, { characters, most }: Bounds, otherwise: string): string {
  const split = bind("split", `${value}.split(${text(separator)}, ${most + 1})`, `split.size() > ${most} ? ${otherwise} : split`);
  return `(${value}.size() > ${characters} ? ${otherwise} : ${split})`;
}

export interface Bounds {
  readonly characters: number;
  /** Pieces. */
  readonly most: number;
}

/** At most so many characters, with dots for the rest. */
export function cut(value: string, most: number): string {
  return `(${value}.size() > ${most} ? ${value}.substring(0, ${most - ELLIPSIS.length}) + ${text(ELLIPSIS)} : ${value})`;
}

/** The first of the messages; nothing where there is none. */
export function first(messages: string): string {
  return bind("messages", messages, `messages.size() == 0 ? "" : messages[0]`);
}

/**
 * Each costs the API server some microseconds where it is evaluated, and some bytes at every question where it isn't: what is used once, or only
 * in messages, stands where it is used.
 */
export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** An expression: empty, or the message that a pod is refused with. */
export type Problem = string;

/** The first that is not empty. What comes after it is not looked at. */
export function firstOf(problems: readonly Problem[]): Problem {
  const options = problems.map((problem) => `optional.ofNonZeroValue(${problem})`);
  return `${options.reduceRight((rest, option) => `${option}.or(${rest})`)}.orValue("")`;
}

/** The variable as expressions name it. */
export function of(name: string): string {
  return `variables.${name}`;
}
