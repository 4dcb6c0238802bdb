import type { ObjectType } from "../../domain/provider-class/object-rules.ts";

/** An object as a vault knows it; `version` undefined is the current one. */
export interface VaultObjectKey {
  readonly type: ObjectType;
  readonly name: string;
  readonly version: string | undefined;
}

/** Names are case-insensitive. */
export function versionCacheKey({ type, name, version }: VaultObjectKey): string {
  return `${type}/${name.toLowerCase()}${version === undefined ? "" : `@${version}`}`;
}
