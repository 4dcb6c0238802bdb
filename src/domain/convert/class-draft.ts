import type { ObjectType } from "../provider-class/object-rules.ts";

/** An entry of `objects`: the object to fetch, and the encoding of its file. */
export interface DraftObject {
  readonly type: ObjectType;
  readonly name: string;
  readonly version?: string | undefined;
  /** `pfx`: the value as stored, even if it is the base64 PKCS#12 of a certificate. */
  readonly format?: "pfx" | undefined;
  readonly encoding?: "base64" | undefined;
  /** Above 1: the files are `<path>/0`, `<path>/1`, and so on. */
  readonly history?: number | undefined;
}

/** Functions in the expressions of `secretData`. */
export type FunctionName = "property" | "base64decode" | "base64" | "certificates" | "privateKey" | "join" | "trim" | "dockerconfigjson";

/** Value of a key of a Secret: a file, or the result of functions on files. */
export type DraftValue =
  | { readonly kind: "file"; readonly object: DraftObject; readonly index?: number | undefined }
  | { readonly kind: "call"; readonly name: FunctionName; readonly arguments: readonly (DraftValue | string)[] };

export function fileOf(object: DraftObject, index?: number): DraftValue {
  return { kind: "file", object, index };
}

export function call(name: FunctionName, ...values: readonly (DraftValue | string)[]): DraftValue {
  return { kind: "call", name, arguments: values };
}

export type Texts = Readonly<Record<string, string>>;

export interface SecretDraft {
  readonly name: string;
  readonly type: string;
  readonly labels: Texts;
  readonly annotations: Texts;
  readonly entries: readonly { readonly key: string; readonly value: DraftValue }[];
  /** Whether the Secret exists before the class, and stays if the class is deleted. */
  readonly isAdopted?: boolean;
}

/** The parameters and annotations that name a vault and the identity that reads it. */
export interface VaultAccess {
  readonly parameters: Texts;
  readonly annotations: Texts;
}

/** A class before its files have names. */
export interface ClassDraft {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly access: VaultAccess;
  readonly annotations: Texts;
  readonly secrets: readonly SecretDraft[];
}
