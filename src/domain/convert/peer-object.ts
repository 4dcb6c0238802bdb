import type { JsonObject } from "../json-object.ts";

export type FieldPath = readonly (string | number)[];

/** An object of the input, whoever acts on it. */
export interface PeerObject {
  readonly object: JsonObject;
  readonly kind: string;
  readonly name: string;
  /** Undefined where neither the object nor the command names one. */
  readonly namespace: string | undefined;
}

/** Something that its author has to know. An error: the field, and with it the object, was not converted. */
export interface ConversionRemark {
  readonly on: PeerObject;
  readonly path: FieldPath;
  readonly severity: "error" | "warning";
  /** Why, and what to do instead. Names fields and never values of a vault. */
  readonly message: string;
}

/** A remark before it is known which object it is on. */
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

/** `spec.data[1].remoteRef.key` */
export function fieldText(path: FieldPath): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

/** Whether a name in one object means an object in another file: manifests without a namespace go wherever they are applied. */
export function isSameNamespace(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}
