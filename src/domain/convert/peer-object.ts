import type { JsonObject } from "../json-object.ts";

export type FieldPath = readonly (string | number)[];

/** An object of the input, whichever tool it belongs to. */
export interface PeerObject {
  readonly object: JsonObject;
  readonly kind: string;
  readonly name: string;
  /** Undefined if neither the object nor the command names a namespace. */
  readonly namespace: string | undefined;
}

/** A message for the author of an object. With an error, the field, and with it the object, was not converted. */
export interface ConversionRemark {
  readonly on: PeerObject;
  readonly path: FieldPath;
  readonly severity: "error" | "warning";
  /** The reason, and the fix. Names fields, and never values of a vault. */
  readonly message: string;
}

/** A remark without its object. */
export interface ConversionTrouble {
  readonly path: FieldPath;
  readonly message: string;
}

export function errorOn(on: PeerObject, { path, message }: ConversionTrouble): ConversionRemark {
  return { on, path, severity: "error", message };
}

export function warningOn(on: PeerObject, { path, message }: ConversionTrouble): ConversionRemark {
  return { on, path, severity: "warning", message };
}

/** Formats a path, for example `spec.data[1].remoteRef.key`. */
export function fieldText(path: FieldPath): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

/** Whether a name in one object can refer to an object in another file. A manifest without a namespace can be applied to any namespace. */
export function isSameNamespace(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}
