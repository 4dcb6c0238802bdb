/** What a class's Secrets hold, file by file: two objects of a class may name the same object of the vault. */

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
  /** What the status tells of objects that no Secret holds. */
  readonly mounted?: readonly ObjectStatus[] | undefined;
}

/** What is stored of an object's version. */
export type StoredVersion = Pick<KeyStatus, "version" | "updated" | "expires">;

/** What a Secret holds under each key: one for a file, one for each of several files that it is made from, in their order. */
type HeldKeys = ReadonlyMap<string, readonly KeyStatus[]>;

const NONE: HeldKeys = new Map();

/**
 * What the status tells of a class's Secrets, for one look at the class. Everything is gone through once, however much the class asks for:
 * it may have thousands of objects, of entries and of keys, and the worker's other classes wait for each search of them.
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
   * Every key of the Secret holds what its file would be made from now, and there is no other. Of several entries with one key the last one counts; the files of the
   * others have to be there.
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

  /** A key that was made from the object, as this class's entry of `objects` names it, and held what the vault had. */
  keyMadeFrom(object: ClassObject): StoredVersion | undefined {
    this.#byMaker ??= this.#findMakers();
    return this.#byMaker.get(object) ?? this.#mountedAs(object);
  }

  /** Of several entries that the driver calls the same nobody knows which one was meant. */
  #mountedAs(object: ClassObject): StoredVersion | undefined {
    this.#byMounted ??= Map.groupBy(this.#class.mounted ?? [], (mounted) => mounted.object);
    const [held, another] = this.#byMounted.get(objectIdOf(object)) ?? [];
    return another === undefined && held !== undefined && wasCurrent(held) ? held : undefined;
  }

  #findMakers(): ReadonlyMap<ClassObject, KeyStatus> {
    const { objects, secretObjects } = this.#class;
    const made: (readonly [ClassObject, KeyStatus])[] = [];
    // Of several objects that make a file the last one counts.
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

/** Of several with the same name the first one counts. */
function firstOfEach<T, K, V>(items: readonly T[], entryOf: (item: T) => readonly [K, V]): ReadonlyMap<K, V> {
  return new Map(items.map(entryOf).toReversed());
}

function itself(object: ClassObject): ClassObject {
  return object;
}

/** Each file of an entry with what the Secret's key was made from it. */
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

/** Any other state says that the vault has something else. */
function wasCurrent({ version, state }: Pick<KeyStatus, "version" | "state">): boolean {
  return version !== undefined && (state === undefined || state === "Unreachable" || state === "Throttled");
}

/** The files that the Secrets are made from. */
export function filesOf(secretObjects: readonly SecretObjectEntries[]): readonly string[] {
  return secretObjects.flatMap(({ data = [] }) => data.flatMap(filesOfEntry));
}

export function entrySecretName({ secretName }: Pick<SecretObjectEntries, "secretName">): string {
  return trimSpace(secretName ?? "");
}
