import type { Sensitive } from "../sensitive.ts";
import type { ObjectVersion } from "./version-history.ts";

/** A file as the provider would mount it. */
export interface ObjectFile {
  /** Relative path, which `secretObjects[].data[].objectName` refers to. */
  readonly path: string;
  readonly contents: Sensitive;
  /** `type/name`, or `type/name/index` in a history. Contains the name in the vault, not the alias. */
  readonly objectId: string;
  /** Key Vault version id. */
  readonly version: string;
  /** Unix milliseconds. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  readonly notBefore?: number | undefined;
}

/** Reason why an object from the vault cannot be rendered. Never contains a part of the value. */
export interface ContentProblem {
  readonly reason: "InvalidObject";
  readonly message: string;
  readonly objectId: string;
  readonly hint: string;
}

/** Returns the name of an object in status, annotations, and events. */
export function objectIdOf({ type, name, index }: Pick<ObjectVersion, "type" | "name"> & { readonly index?: number | undefined }): string {
  return index === undefined ? `${type}/${name}` : `${type}/${name}/${index}`;
}
