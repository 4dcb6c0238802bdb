import type { ObjectType } from "../provider-class/object-rules.ts";

/** An entry of `objects`: what is fetched, and as which bytes it becomes a file. */
export interface DraftObject {
  readonly type: ObjectType;
  readonly name: string;
  readonly version?: string | undefined;
  /** The value as it is stored, also where it is a certificate's PKCS#12 in base64. */
  readonly format?: "pfx" | undefined;
  readonly encoding?: "base64" | undefined;
  /** Above 1: its files are `<path>/0`, `<path>/1` and so on. */
  readonly history?: number | undefined;
}

/** Of the expressions of `secretData`. */
export type FunctionName = "property" | "base64decode" | "base64" | "certificates" | "privateKey" | "join" | "trim" | "dockerconfigjson";

/** What a key of a Secret holds: a file, or what functions make of files. */
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
  /** It exists before the class does, and stays when the class goes. */
  readonly isAdopted?: boolean;
}

/** How a vault is reached, and as whom. */
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
