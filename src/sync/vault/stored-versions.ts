/** Whether a Secret is what the vault has, file by file: two objects of a class may name the same object of the vault. */

import { objectIdOf } from "../../domain/content/object-file.ts";
import { makesFile } from "../../domain/content/version-history.ts";
import type { SecretObject } from "../../domain/kubernetes.ts";
import { trimSpace } from "../../domain/provider-class/go-text.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { KeyStatus, SecretStatus } from "../../domain/sync/class-status.ts";
import type { ObjectFailure } from "./fetch-objects.ts";

/** What is known of one object without fetching it; undefined: nothing that counts. */
export type Known =
  | { readonly kind: "found"; readonly versions: readonly KnownVersion[]; readonly at: number }
  | { readonly kind: "failed"; readonly failure: ObjectFailure; readonly at: number }
  | undefined;

export interface KnownVersion extends Pick<KeyStatus, "object" | "version">, Partial<Pick<KeyStatus, "updated" | "expires">> {
  /** Of its file, without the suffix of a certificate's part. */
  readonly path: string;
  /** The times are known, too. */
  readonly isWhole: boolean;
}

/** What is known of each object of a class, in the order of the class. */
export type KnownObjects = ReadonlyMap<ClassObject, Known>;

/** Every key of the Secret holds what its file would be made from now. */
export function isAsStored({ data = [] }: SecretObject, known: KnownObjects, stored: readonly KeyStatus[]): boolean {
  const isAsWritten = (entry: (typeof data)[number]): boolean => {
    const held = stored.find(({ key }) => key === trimSpace(entry.key ?? ""));
    const version = sourceOf(trimSpace(entry.objectName ?? ""), known, held?.object);
    return held !== undefined && version !== undefined && isSameVersion(held, version);
  };
  return data.length > 0 && data.every(isAsWritten);
}

/** What the file is made from: of several objects that make it the last one, as on a mount. Undefined where that is not known. */
function sourceOf(file: string, known: KnownObjects, heldObject: string | undefined): KnownVersion | undefined {
  for (const [object, state] of [...known].toReversed()) {
    if (!makesFile(object, file)) continue;
    if (state === undefined) return undefined;
    const versions = state.kind === "found" ? state.versions : [];
    const version =
      versions.find(({ path }) => path === file) ?? versions.find((part) => isPartOf(file, part) && part.object === heldObject);
    if (version !== undefined) return version;
  }
  return undefined;
}

/** Only a certificate has parts, and only where the operator wants them: what the Secret holds shows it. */
function isPartOf(file: string, { path }: KnownVersion): boolean {
  return file === `${path}.crt` || file === `${path}.key`;
}

function isSameVersion(held: KeyStatus, { object, version, updated, expires, isWhole }: KnownVersion): boolean {
  if (held.object !== object || held.version !== version) return false;
  return !isWhole || (held.updated === updated && held.expires === expires);
}

interface StoredClass {
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObject[];
  readonly stored: readonly SecretStatus[];
}

/** A key that was made from the object, as this class's entry of `objects` names it, and held what the vault had. */
export function keyMadeFrom(object: ClassObject, { objects, secretObjects, stored }: StoredClass): KeyStatus | undefined {
  const id = objectIdOf(object);
  for (const secretObject of secretObjects) {
    const keys = storedKeys(secretObject, stored);
    for (const { key: name, objectName } of secretObject.data ?? []) {
      const held = keys.find(({ key }) => key === trimSpace(name ?? ""));
      if (held?.object !== id || !wasCurrent(held)) continue;
      const file = trimSpace(objectName ?? "");
      const maker = objects.findLast((candidate) => objectIdOf(candidate) === id && makesFile(candidate, file));
      if (maker === object) return held;
    }
  }
  return undefined;
}

/** Any other state says that the vault has something else. */
function wasCurrent({ version, state }: KeyStatus): boolean {
  return version !== undefined && (state === undefined || state === "Unreachable" || state === "Throttled");
}

export function storedKeys(secretObject: SecretObject, stored: readonly SecretStatus[]): readonly KeyStatus[] {
  return stored.find(({ name }) => name === nameOf(secretObject))?.data ?? [];
}

export function needsObject(secretObject: SecretObject, object: ClassObject): boolean {
  return (secretObject.data ?? []).some(({ objectName }) => makesFile(object, trimSpace(objectName ?? "")));
}

export function nameOf({ secretName }: SecretObject): string {
  return trimSpace(secretName ?? "");
}
