import type { Sensitive } from "../sensitive.ts";
import type { ObjectVersion } from "./version-history.ts";

/** A file as the provider would mount it. */
export interface ObjectFile {
  /** Relative path: what `secretObjects[].data[].objectName` refers to. */
  readonly path: string;
  readonly contents: Sensitive;
  /** `type/name`, in a history `type/name/index`: by the name in the vault, whatever the alias. */
  readonly objectId: string;
  /** Key Vault version id. */
  readonly version: string;
  /** Unix milliseconds. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  readonly notBefore?: number | undefined;
}

/** Why an object the vault handed out cannot be rendered. Never part of the value. */
export interface ContentProblem {
  readonly reason: "InvalidObject";
  readonly message: string;
  readonly objectId: string;
  readonly hint: string;
}

/** How status, annotations and events name an object. */
export function objectIdOf({ type, name, index }: Pick<ObjectVersion, "type" | "name"> & { readonly index?: number | undefined }): string {
  return index === undefined ? `${type}/${name}` : `${type}/${name}/${index}`;
}
