/**
 * Meaning of a scalar in the provider's YAML library (gopkg.in/yaml.v3). Strings stay as typed. The meaning matters only for null, for the
 * one number that a class can contain, and for the text of type errors.
 */
import type { YamlScalar } from "./yaml-tree.ts";

export type Meaning =
  | { readonly kind: "null" }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "other" };

export interface Resolved {
  readonly tag: string;
  readonly meaning: Meaning;
}

const WORDS: ReadonlyMap<string, Resolved> = new Map<string, Resolved>([
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, { tag: "!!null", meaning: { kind: "null" } }] as const),
  ...["true", "True", "TRUE", "false", "False", "FALSE"].map((word) => [word, { tag: "!!bool", meaning: { kind: "other" } }] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { tag: "!!float", meaning: { kind: "float", value: Number.NaN } }] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (word) => [word, { tag: "!!float", meaning: { kind: "float", value: Number.POSITIVE_INFINITY } }] as const,
  ),
  ...["-.inf", "-.Inf", "-.INF"].map(
    (word) => [word, { tag: "!!float", meaning: { kind: "float", value: Number.NEGATIVE_INFINITY } }] as const,
  ),
  ["<<", { tag: "!!merge", meaning: { kind: "text", value: "<<" } }],
]);

const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
/** A float without `_`. */
export const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const POINT_FLOAT = /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/;
const TIMESTAMP =
  /^[0-9]{4}-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})| ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?)?$/;

/** Longer sequences of digits exceed 64 bits anyway, and arbitrary precision is expensive. */
const MAX_DIGITS = 80;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** Parses a 64-bit number, signed or unsigned, in any notation of YAML 1.1, without `_`. */
export function integerOf(text: string): bigint | undefined {
  const match = text.length <= MAX_DIGITS ? INTEGER.exec(text) : null;
  if (!match) return undefined;
  const [, sign = "", hexadecimal, binary, octal, decimal] = match;
  const magnitude = BigInt((hexadecimal && `0x${hexadecimal}`) ?? (binary && `0b${binary}`) ?? (octal && `0o${octal}`) ?? decimal ?? "0");
  const value = sign === "-" ? -magnitude : magnitude;
  const limit = sign === "" ? MAX_UINT64 : 2n ** 63n - 1n;
  return value >= MIN_INT64 && value <= limit ? value : undefined;
}

/** Whether the text is a YAML 1.1 timestamp with a valid month, day, and time. */
export function isTimestamp(text: string): boolean {
  const match = TIMESTAMP.exec(text);
  if (!match) return false;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).filter(Boolean).map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60;
}

const asText = (value: string): Resolved => ({ tag: "!!str", meaning: { kind: "text", value } });

function numberOf(text: string, tag: string): Resolved {
  if (isTimestamp(text) && (tag === "" || tag === "!!timestamp")) return { tag: "!!timestamp", meaning: { kind: "other" } };
  // Underscores group digits: `1_0` is ten.
  const plain = text.replaceAll("_", "");
  const integer = integerOf(plain);
  if (integer !== undefined) return { tag: "!!int", meaning: { kind: "integer", value: integer } };
  const float = FLOAT.test(plain) ? Number(plain) : Number.POSITIVE_INFINITY;
  return Number.isFinite(float) ? { tag: "!!float", meaning: { kind: "float", value: float } } : asText(text);
}

function resolvePlain(text: string, tag: string): Resolved {
  const word = WORDS.get(text);
  // A `<<` with a tag is not a merge key.
  if (word && (tag === "" || word.tag !== "!!merge")) return word;
  if (/^[-+0-9]/.test(text)) return numberOf(text, tag);
  const float = POINT_FLOAT.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return Number.isFinite(float) ? { tag: "!!float", meaning: { kind: "float", value: float } } : asText(text);
}

const RESOLVABLE = new Set(["", "!!bool", "!!int", "!!float", "!!null", "!!timestamp"]);

/**
 * Resolves a scalar. If its tag contradicts its text (`!!int abc`), the whole document is invalid, and the function returns the error text.
 */
export function resolveScalar(node: YamlScalar): Resolved | string {
  const { tag, value } = node;
  if (tag === "!!str" || (tag === "" && node.quoted)) return asText(value);
  if (!RESOLVABLE.has(tag)) return { tag, meaning: { kind: "text", value } };
  const resolved = resolvePlain(value, tag);
  if (tag === "" || tag === resolved.tag) return resolved;
  if (tag === "!!float" && resolved.meaning.kind === "integer") {
    return { tag, meaning: { kind: "float", value: Number(resolved.meaning.value) } };
  }
  return `yaml: cannot decode ${resolved.tag} \`${value}\` as a ${tag}`;
}
