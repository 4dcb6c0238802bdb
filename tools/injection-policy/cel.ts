/** Builds CEL expressions as text. */
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

/** A string literal with an RE2 regular expression. */
export function regex(source: string | RegExp): string {
  return text(typeof source === "string" ? source : source.source);
}

/** Binds a value to a name that an expression can use more than once. */
export function bind(name: string, value: string, expression: string): string {
  return `[${value}].map(${name}, ${expression})[0]`;
}

/** Alternatives in order, each with its condition, and the value for the case that no condition holds. */
export function choose(cases: readonly (readonly [condition: string, value: string])[], otherwise: string): string {
  return cases.reduceRight((rest, [condition, value]) => `(${condition} ? ${value} : ${rest})`, otherwise);
}

/** A message of the webhook, with expressions in place of the placeholders in braces. */
export function message<const Template extends string>(
  template: Template,
  values: Readonly<Record<Placeholders<Template>, string>>,
): string {
  const known = new Map<string, string>(Object.entries<string>(values));
  const parts = template.split(/(\{\w+\})/).filter((part) => part !== "");
  return parts.map((part) => (part.startsWith("{") ? known.get(part.slice(1, -1)) : undefined) ?? text(part)).join(" + ");
}

/**
 * A user's text in quotes, cut like in the webhook. CEL cannot escape control characters of a terminal, so that the message omits a text
 * that contains them.
 */
export function quoted(value: string): string {
  const shown = bind("shown", value, cut("shown", SHOWN_LENGTH));
  return bind("shown", shown, `shown.matches(${regex(UNSEEN)}) ? ${text('"(characters that cannot be shown)"')} : strings.quote(shown)`);
}

/**
 * Splits a text at a separator. Yields `otherwise` if the text has too many characters or pieces. No other function splits a text, because
 * the API server's time for a list grows with the square of the list's length, which CEL's own cost estimate does not show.
 */
export function pieces(value: string, separator: string, { characters, most }: Bounds, otherwise: string): string {
  const split = bind("split", `${value}.split(${text(separator)}, ${most + 1})`, `split.size() > ${most} ? ${otherwise} : split`);
  return `(${value}.size() > ${characters} ? ${otherwise} : ${split})`;
}

export interface Bounds {
  readonly characters: number;
  /** Number of pieces. */
  readonly most: number;
}

/** The text up to `most` characters, with dots instead of the rest. */
export function cut(value: string, most: number): string {
  return `(${value}.size() > ${most} ? ${value}.substring(0, ${most - ELLIPSIS.length}) + ${text(ELLIPSIS)} : ${value})`;
}

/** The first message, or an empty text if the list is empty. */
export function first(messages: string): string {
  return bind("messages", messages, `messages.size() == 0 ? "" : messages[0]`);
}

/**
 * A variable of the policy. The API server spends some microseconds on each evaluated one, and some bytes per request on each other one.
 * Therefore an expression that is used once, or only in messages, is not a variable.
 */
export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** An expression whose value is empty, or the message with which the policy rejects a pod. */
export type Problem = string;

/** The first problem that is not empty. The API server does not evaluate the later ones. */
export function firstOf(problems: readonly Problem[]): Problem {
  const options = problems.map((problem) => `optional.ofNonZeroValue(${problem})`);
  return `${options.reduceRight((rest, option) => `${option}.or(${rest})`)}.orValue("")`;
}

/** Refers to a variable of the policy. */
export function of(name: string): string {
  return `variables.${name}`;
}
