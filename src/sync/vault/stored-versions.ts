/** Compares the Secrets of a class with the state of its objects, by file: two of its entries may name the same vault object. */

import { objectIdOf } from "../../domain/content/object-file.ts";
import { findByFile } from "../../domain/content/version-history.ts";
import { trimSpace } from "../../domain/provider-class/go-text.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import { type DataEntry, entryKey, filesOfEntry, type SecretObjectEntries } from "../../domain/secret-data/data-entries.ts";
import type { KeyStatus, ObjectStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import type { KnownVersion, SourceOf } from "./known-files.ts";

export interface StoredClass {
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObjectEntries[];
  readonly stored: readonly SecretStatus[];
  /** Objects in the status that no Secret contains. */
  readonly mounted?: readonly ObjectStatus[] | undefined;
}

/** Stored facts of an object's version. */
export type StoredVersion = Pick<KeyStatus, "version" | "updated" | "expires">;

/** Stored content of a Secret by key: one entry for each file that the key is made from, in their order. */
type HeldKeys = ReadonlyMap<string, readonly KeyStatus[]>;

const NONE: HeldKeys = new Map();

/**
 * Index of the stored content of a class's Secrets, for one pass over the class. It reads everything once: a class may have thousands of
 * objects, entries and keys, and other classes would wait for each search of them.
 */
export class StoredVersions {
  readonly #class: StoredClass;
  readonly #bySecret: ReadonlyMap<string, HeldKeys>;
  #byMaker: ReadonlyMap<ClassObject, KeyStatus> | undefined;
  #byMounted: ReadonlyMap<string, readonly ObjectStatus[]> | undefined;

  constructor(storedClass: StoredClass) {
    this.#class = storedClass;
    this.#bySecret = firstOfEach(storedClass.stored, ({ name, data }) => [name, Map.groupBy(data, ({ key }) => key)]);
  }

  /**
   * Whether every key of the Secret contains what its file would be made from now, and the Secret has no other key. Of several entries with
   * one key, the last one counts; the files of the others have to exist.
   */
  isAsStored(secretObject: SecretObjectEntries, sourceOf: SourceOf): boolean {
    const { data = [] } = secretObject;
    const keys = this.#keysOf(secretObject);
    const counting = new Map(data.map((entry) => [entryKey(entry), entry]));
    const isAsWritten = (entry: DataEntry): boolean => {
      if (counting.get(entryKey(entry)) !== entry) return filesOfEntry(entry).every((file) => sourceOf(file, undefined) !== undefined);
      return heldOf(entry, keys).every(({ file, held }) => isMadeOf(held, sourceOf(file, held?.object)));
    };
    const isAllNamed = [...keys.keys()].every((key) => counting.has(key));
    return data.length > 0 && isAllNamed && data.every(isAsWritten);
  }

  /**
   * Returns the stored version of the object from a key that was made from it, as this entry of `objects` names it, and that matched the
   * vault. If there is no such key, returns the version that the status has for a mounted object.
   */
  keyMadeFrom(object: ClassObject): StoredVersion | undefined {
    this.#byMaker ??= this.#findMakers();
    return this.#byMaker.get(object) ?? this.#mountedAs(object);
  }

  /** Returns undefined if several entries have the same id: it is unknown which one is meant. */
  #mountedAs(object: ClassObject): StoredVersion | undefined {
    this.#byMounted ??= Map.groupBy(this.#class.mounted ?? [], (mounted) => mounted.object);
    const [held, another] = this.#byMounted.get(objectIdOf(object)) ?? [];
    return another === undefined && held !== undefined && wasCurrent(held) ? held : undefined;
  }

  #findMakers(): ReadonlyMap<ClassObject, KeyStatus> {
    const { objects, secretObjects } = this.#class;
    const made: (readonly [ClassObject, KeyStatus])[] = [];
    // If several objects make a file, the last one counts.
    const makers = new Map(
      [...Map.groupBy(objects, (object) => objectIdOf(object))].map(([id, same]) => [id, findByFile(same.toReversed(), itself)]),
    );
    const noteEntry = (entry: DataEntry, keys: HeldKeys): void => {
      for (const { file, held } of heldOf(entry, keys)) {
        const maker = held && wasCurrent(held) ? makers.get(held.object ?? "")?.(file) : undefined;
        if (held !== undefined && maker !== undefined) made.push([maker, held]);
      }
    };
    for (const secretObject of secretObjects) {
      const keys = this.#keysOf(secretObject);
      secretObject.data?.forEach((entry) => noteEntry(entry, keys));
    }
    return firstOfEach(made, (pair) => pair);
  }

  #keysOf(secretObject: SecretObjectEntries): HeldKeys {
    return this.#bySecret.get(entrySecretName(secretObject)) ?? NONE;
  }
}

/** If several items have the same key, the first one counts. */
function firstOfEach<T, K, V>(items: readonly T[], entryOf: (item: T) => readonly [K, V]): ReadonlyMap<K, V> {
  return new Map(items.map(entryOf).toReversed());
}

function itself(object: ClassObject): ClassObject {
  return object;
}

/** Returns each file of an entry with the stored content that was made from it. */
function heldOf(entry: DataEntry, keys: HeldKeys): readonly { readonly file: string; readonly held: KeyStatus | undefined }[] {
  const held = keys.get(entryKey(entry)) ?? [];
  return filesOfEntry(entry).map((file, index) => ({ file, held: held[index] }));
}

function isMadeOf(held: KeyStatus | undefined, source: KnownVersion | undefined): boolean {
  return held !== undefined && source !== undefined && isSameVersion(held, source);
}

function isSameVersion(held: KeyStatus, { object, version, updated, expires, isWhole }: KnownVersion): boolean {
  if (held.object !== object || held.version !== version) return false;
  return !isWhole || (held.updated === updated && held.expires === expires);
}

/** Whether the stored version matched the vault when the vault last answered. Any other state shows that the vault has something else. */
function wasCurrent({ version, state }: Pick<KeyStatus, "version" | "state">): boolean {
  return version !== undefined && (state === undefined || state === "Unreachable" || state === "Throttled");
}

/** Returns the files that the Secrets are made from. */
export function filesOf(secretObjects: readonly SecretObjectEntries[]): readonly string[] {
  return secretObjects.flatMap(({ data = [] }) => data.flatMap(filesOfEntry));
}

export function entrySecretName({ secretName }: Pick<SecretObjectEntries, "secretName">): string {
  return trimSpace(secretName ?? "");
}
