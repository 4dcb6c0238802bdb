/** Finds the object versions that the files of a class would be made from, as far as they are known without a fetch. */
import { findByFile, stemOf } from "../../domain/content/version-history.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { KeyStatus } from "../../domain/sync/status-fields.ts";
import type { ObjectFailure } from "./object-refusals.ts";

/** State of one object, as far as it is known without a fetch; undefined if it is unknown or outdated. */
export type Known =
  | { readonly kind: "found"; readonly versions: readonly KnownVersion[]; readonly at: number }
  | { readonly kind: "failed"; readonly failure: ObjectFailure; readonly at: number }
  | undefined;

export interface KnownVersion extends Pick<KeyStatus, "object" | "version">, Partial<Pick<KeyStatus, "updated" | "expires">> {
  /** Path of its file, without the suffix of a part of a certificate. */
  readonly path: string;
  /** Time in Unix milliseconds at which the vault created it, if known. */
  readonly created?: number | undefined;
  /** Whether `updated` and `expires` are known, too. */
  readonly isWhole: boolean;
}

/** State of each object of a class, in the order of the class. */
export type KnownObjects = ReadonlyMap<ClassObject, Known>;

/**
 * Returns the version that a file is made from; undefined if that is unknown. `heldObject`: the object that the Secret's key was made from,
 * to find the part of a certificate; if undefined, any object will do.
 */
export type SourceOf = (file: string, heldObject: string | undefined) => KnownVersion | undefined;

interface Maker {
  readonly object: ClassObject;
  /** Position among the class's objects. */
  readonly at: number;
}

interface Source {
  readonly version: KnownVersion;
  readonly at: number;
}

/**
 * Indexes the sources of files. If several objects make a file, the last one counts, as in a mount. The index reads the objects once and
 * then finds the source of a file without a search: a class may have thousands of both.
 */
export function sourcesOf(known: KnownObjects): SourceOf {
  const unknown: Maker[] = [];
  const byPath = new Map<string, Source>();
  /** Sources of certificate parts, by path and object: only the content of the Secret shows whether the operator wants parts. */
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
