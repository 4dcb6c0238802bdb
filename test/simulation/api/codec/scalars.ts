import { type Json, textOf } from "../json.ts";
import type { ScalarKind } from "../schema/shape.ts";

/** A value that its field cannot hold, with the message of Go's decoder. */
export class DecodeProblem {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

type Scalar = string | number | boolean;

/** Returns the value as the API server writes it after decoding. */
export function decodeScalar(kind: ScalarKind, value: Json): Scalar | DecodeProblem {
  switch (kind) {
    case "string":
      return typeof value === "string" ? value : mismatch(value, "string");
    case "bool":
      return typeof value === "boolean" ? value : mismatch(value, "bool");
    case "int":
      return decodeInt(value);
    case "number":
      return typeof value === "number" ? value : mismatch(value, "float64");
    case "bytes":
      return decodeBytes(value);
    case "time":
      return decodeTime(value, /^(.*?)(\.\d+)?(Z|[+-]\d{2}:\d{2})$/, "2006-01-02T15:04:05Z07:00");
    case "microtime":
      return decodeMicroTime(value);
    case "quantity":
    case "int-or-string":
      return decodeQuantity(value);
  }
}

function decodeInt(value: Json): number | DecodeProblem {
  return typeof value === "number" && Number.isInteger(value) ? value : mismatch(value, "int64");
}

function decodeQuantity(value: Json): string | number | DecodeProblem {
  return typeof value === "string" || typeof value === "number" ? value : mismatch(value, "string");
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeBytes(value: Json): string | DecodeProblem {
  if (typeof value !== "string") return mismatch(value, "[]uint8");
  if (BASE64.test(value)) return value;
  const at = value.search(/[^A-Za-z0-9+/=]/);
  return new DecodeProblem(`illegal base64 data at input byte ${at === -1 ? value.length : at}`);
}

function decodeTime(value: Json, pattern: RegExp, layout: string): string | DecodeProblem {
  if (typeof value !== "string") return mismatch(value, "string");
  const time = pattern.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time))
    return new DecodeProblem(`parsing time ${JSON.stringify(JSON.stringify(value))} as ${JSON.stringify(layout)}: cannot parse`);
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

function decodeMicroTime(value: Json): string | DecodeProblem {
  const whole = decodeTime(value, /^(.*?)\.\d{6}(Z|[+-]\d{2}:\d{2})$/, "2006-01-02T15:04:05.000000Z07:00");
  if (whole instanceof DecodeProblem) return whole;
  const fraction = /\.\d{6}/.exec(textOf(value))?.[0];
  return `${whole.slice(0, -1)}${fraction ?? ".000000"}Z`;
}

function mismatch(value: Json, wanted: string): DecodeProblem {
  const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return new DecodeProblem(`json: cannot unmarshal ${found} into Go value of type ${wanted}`);
}
