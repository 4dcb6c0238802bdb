/** What the files of a class would be made from, by what is known of its objects without fetching them. */
import { findByFile, stemOf } from "../../domain/content/version-history.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { KeyStatus } from "../../domain/sync/status-fields.ts";
import type { ObjectFailure } from "./object-refusals.ts";

/** What is known of one object without fetching it; undefined: nothing that counts. */
export type Known =
  | { readonly kind: "found"; readonly versions: readonly KnownVersion[]; readonly at: number }
  | { readonly kind: "failed"; readonly failure: ObjectFailure; readonly at: number }
  | undefined;

export interface KnownVersion extends Pick<KeyStatus, "object" | "version">, Partial<Pick<KeyStatus, "updated" | "expires">> {
  /** Of its file, without the suffix of a certificate's part. */
  readonly path: string;
  /** Unix milliseconds: when the vault made it, where that is known. */
  readonly created?: number | undefined;
  /** The times are known, too. */
  readonly isWhole: boolean;
}

/** What is known of each object of a class, in the order of the class. */
export type KnownObjects = ReadonlyMap<ClassObject, Known>;

/**
 * What a file is made from. `heldObject`: what the Secret's key was made from; not given, any object will do. Undefined where that is not
 * known.
 */
export type SourceOf = (file: string, heldObject: string | undefined) => KnownVersion | undefined;

interface Maker {
  readonly object: ClassObject;
  /** Its place among the class's objects. */
  readonly at: number;
}

interface Source {
  readonly version: KnownVersion;
  readonly at: number;
}

/**
 * Of several objects that make a file the last one counts, as on a mount. The objects are gone through once, and a file's source is found
 * at once: a class may have thousands of both.
 */
export function sourcesOf(known: KnownObjects): SourceOf {
  const unknown: Maker[] = [];
  const byPath = new Map<string, Source>();
  /** By the path and the object: of a part only what the Secret holds shows that the operator wants parts. */
  const byPart = new Map<string, Source>();
  for (const [at, [object, state]] of [...known].entries()) {
    if (state === undefined) unknown.push({ object, at });
    if (state?.kind !== "found") continue;
    for (const version of state.versions) {
      byPath.set(version.path, { version, at });
      for (const object of [version.object, undefined]) byPart.set(partKey(version.path, object), { version, at });
    }
  }
  const lastUnknown = findByFile(unknown.toReversed(), ({ object }) => object);
  return (file, heldObject) => {
    const stem = stemOf(file);
    const part = stem === file ? undefined : byPart.get(partKey(stem, heldObject));
    const source = later(byPath.get(file), part);
    const blank = lastUnknown(file);
    return source !== undefined && source.at > (blank?.at ?? -1) ? source.version : undefined;
  };
}

function partKey(path: string, object: string | undefined): string {
  return JSON.stringify([path, object]);
}

function later(whole: Source | undefined, part: Source | undefined): Source | undefined {
  return part !== undefined && part.at > (whole?.at ?? -1) ? part : whole;
}
