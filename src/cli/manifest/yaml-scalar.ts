/** Reads a YAML scalar as kubectl does: `sigs.k8s.io/yaml` resolves it by YAML 1.1 with its own exceptions, then converts it to JSON. */
import { FLOAT, integerOf, isTimestamp } from "../../domain/provider-class/yaml-scalar-meaning.ts";
import { failed, ok, type Result } from "../../domain/result.ts";

/** A `bigint` is a 64-bit integer whose digits a number would lose. */
export type ScalarValue = string | number | bigint | boolean | null;

export interface WrittenScalar {
  readonly value: string;
  readonly isQuoted: boolean;
  readonly tag: string;
}

/** Value of a scalar before its conversion to JSON. */
type Resolved =
  | { readonly type: "null"; readonly value: null }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "timestamp" | "str"; readonly value: string };

const WORDS: ReadonlyMap<string, Resolved> = new Map<string, Resolved>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, { type: "bool", value: true }] as const,
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, { type: "bool", value: false }] as const,
  ),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, { type: "null", value: null }] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { type: "float", value: Number.NaN }] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((word) => [word, { type: "float", value: Number.POSITIVE_INFINITY }] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, { type: "float", value: Number.NEGATIVE_INFINITY }] as const),
]);

/** Go's own rule, which allows `_` between digits. kubectl's library uses only this rule if the first character is a point. */
const POINT_FLOAT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
function finite(digits: string): Resolved | undefined {
  const value = Number(digits);
  return Number.isFinite(value) ? { type: "float", value } : undefined;
}

function numberOf(text: string): Resolved | undefined {
  if (text.startsWith(".")) return POINT_FLOAT.test(text) ? finite(text.replaceAll("_", "")) : undefined;
  const plain = text.replaceAll("_", "");
  // The library removes `0b`, and reads the rest, including its sign.
  const integer = integerOf(plain.replace(/^0b([-+])/, "$10b"));
  if (integer !== undefined) return { type: "int", value: integer };
  return FLOAT.test(plain) ? finite(plain) : undefined;
}

function resolvePlain(text: string, tag: string): Resolved {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  const first = text.charCodeAt(0);
  // A number can begin only with `+`, `-`, `.`, or a digit.
  const mayBeNumber = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
  if (!mayBeNumber) return { type: "str", value: text };
  if ((tag === "" || tag === "timestamp") && isTimestamp(text)) return { type: "timestamp", value: text };
  return numberOf(text) ?? { type: "str", value: text };
}

const LONG_TAG = "tag:yaml.org,2002:";
const RESOLVABLE = new Set(["bool", "int", "float", "null", "timestamp"]);

/** Resolves a scalar. Quoted text without a tag remains text. */
function resolveScalar({ value: text, isQuoted, tag }: WrittenScalar): Result<Resolved, string> {
  if (isQuoted && tag === "") return ok({ type: "str", value: text });
  const name = tag.startsWith(LONG_TAG) ? tag.slice(LONG_TAG.length) : tag;
  if (name === "binary" && name !== tag) return decodeBinary(text);
  if (tag !== "" && (name === tag || !RESOLVABLE.has(name))) return ok({ type: "str", value: text });
  const resolved = resolvePlain(text, name);
  if (name === "" || name === resolved.type) return ok(resolved);
  if (name === "float" && resolved.type === "int" && resolved.value <= MAX_INT64) {
    return ok({ type: "float", value: Number(resolved.value) });
  }
  return failed(`the value tagged !!${name} is not of that type`);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function decodeBinary(text: string): Result<Resolved, string> {
  // Go skips only line breaks, and requires complete groups.
  const digits = text.replaceAll(/[\r\n]/g, "");
  if (digits.length % 4 > 0 || !BASE64.test(digits)) return failed("the value tagged !!binary is not base64");
  return ok({ type: "str", value: goText(Buffer.from(digits, "base64")) });
}

/** Matches a UTF-8 character beyond ASCII, or a byte that belongs to no character. Each byte is one character of Latin 1. */
const UTF8 =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/** Decodes UTF-8 as Go does: Go replaces each byte that belongs to no character, but the standard decoder replaces each run of them. */
function goText(bytes: Buffer): string {
  return bytes.toString("latin1").replaceAll(UTF8, (part) => Buffer.from(part, "latin1").toString("utf8"));
}

/** Whether kubectl, and every other reader of YAML 1.1, reads plain text as text. */
export function isPlainText(text: string): boolean {
  return resolvePlain(text, "").type === "str";
}

/** Returns the value in JSON, or why there is none. Returns a number that JSON cannot represent unchanged. */
export function scalarValue(scalar: WrittenScalar): Result<ScalarValue, string> {
  const resolved = resolveScalar(scalar);
  if (!resolved.ok) return resolved;
  const { type, value } = resolved.value;
  if (type === "int") return ok(jsonInteger(value));
  return ok(type === "float" ? jsonFloat(value) : value);
}

/** Converts a JSON integer to the number that kubectl reads: a 64-bit integer, otherwise a float. */
function jsonInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) || value < MIN_INT64 || value > MAX_INT64 ? number : value;
}

/** JSON writes floats below this without an exponent, and kubectl then reads them as integers. */
const LEAST_EXPONENT = 1e21;

function jsonFloat(value: number): number | bigint {
  // Minus zero becomes zero.
  if (!Number.isInteger(value) || Math.abs(value) >= LEAST_EXPONENT) return value;
  return jsonInteger(BigInt(String(value)));
}

/** Returns the key in JSON, or why the scalar cannot be a key; undefined if JSON cannot represent it. */
export function keyText(scalar: WrittenScalar): Result<string | undefined, string> {
  const resolved = resolveScalar(scalar);
  if (!resolved.ok) return resolved;
  const { type, value } = resolved.value;
  if (type === "null" || (type === "int" && value > MAX_INT64)) return ok(undefined);
  return ok(type === "float" ? floatKey(value) : String(value));
}

/** Go prints an exponent from these powers of ten on. */
const [SMALL_EXPONENT, LARGE_EXPONENT] = [-5, 6];
/** Nine digits distinguish all 32-bit floats. */
const SINGLE_DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** Prints a float as Go prints 32-bit floats: with as few digits as distinguish it from others. */
function floatKey(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return ".nan";
  if (!Number.isFinite(single)) return single > 0 ? ".inf" : "-.inf";
  if (Object.is(single, -0)) return "-0";
  const digits = SINGLE_DIGITS.find((count) => Math.fround(Number(single.toPrecision(count))) === single) ?? SINGLE_DIGITS.length;
  const [mantissa = "", exponent = ""] = single.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power > SMALL_EXPONENT && power < LARGE_EXPONENT) return single.toFixed(Math.max(0, digits - 1 - power));
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
