/** What a class's Secrets hold, file by file: two objects of a class may name the same object of the vault. */

import { objectIdOf } from "../../domain/content/object-file.ts";
import { findByFile } from "../../domain/content/version-history.ts";
import { trimSpace } from "../../domain/provider-class/go-text.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import { type DataEntry, filesOfEntry, keyOf, type SecretObjectEntries } from "../../domain/secret-data/data-entries.ts";
import type { KeyStatus, SecretStatus } from "../../domain/sync/class-status.ts";
import type { ObjectStatus } from "../../domain/sync/object-status.ts";
import type { KnownVersion, SourceOf } from "./known-files.ts";

export interface StoredClass {
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObjectEntries[];
  readonly stored: readonly SecretStatus[];
  /** What the status tells of objects that no Secret holds. */
  readonly mounted?: readonly ObjectStatus[] | undefined;
}

/** What is stored of an object's version. */
export type HeldVersion = Pick<KeyStatus, "version" | "updated" | "expires">;

/** What a Secret holds; of several of the same key, or of the same key and object, the first one. */
interface HeldKeys {
  readonly byKey: ReadonlyMap<string, KeyStatus>;
  /** By {@link placeOf}: a key that is made from several files has one for each. */
  readonly byPlace: ReadonlyMap<string, KeyStatus>;
}

const NONE: HeldKeys = { byKey: new Map(), byPlace: new Map() };

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
    this.#bySecret = firstOfEach(storedClass.stored, ({ name, data }) => [name, heldKeysOf(data)]);
  }

  /**
   * Every key of the Secret holds what its file would be made from now, and there is no other. Of several entries with one key the last one counts; the files of the
   * others have to be there.
   */
  isAsStored(secretObject: SecretObjectEntries, sourceOf: SourceOf): boolean {
    const { data = [] } = secretObject;
    const keys = this.#keysOf(secretObject);
    const counting = new Map(data.map((entry) => [keyOf(entry), entry]));
    const isAsWritten = (entry: DataEntry): boolean => {
      const isCounting = counting.get(keyOf(entry)) === entry;
      const held = entry.expression === undefined ? keys.byKey.get(keyOf(entry)) : undefined;
      return filesOfEntry(entry).every((file) => {
        const source = sourceOf(file, isCounting ? held?.object : undefined);
        if (!isCounting || source === undefined) return source !== undefined;
        return isMadeOf(held ?? keys.byPlace.get(placeOf(keyOf(entry), source.object)), source);
      });
    };
    const isAllNamed = [...keys.byKey.keys()].every((key) => counting.has(key));
    return data.length > 0 && isAllNamed && data.every(isAsWritten);
  }

  /** A key that was made from the object, as this class's entry of `objects` names it, and held what the vault had. */
  keyMadeFrom(object: ClassObject): HeldVersion | undefined {
    this.#byMaker ??= this.#findMakers();
    return this.#byMaker.get(object) ?? this.#mountedAs(object);
  }

  /** Of several entries that the driver calls the same nobody knows which one was meant. */
  #mountedAs(object: ClassObject): HeldVersion | undefined {
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
    const makerOfFile = findByFile(objects.toReversed(), itself);
    const note = (maker: ClassObject | undefined, held: KeyStatus | undefined): void => {
      if (maker !== undefined && held !== undefined && wasCurrent(held)) made.push([maker, held]);
    };
    const noteEntry = (entry: DataEntry, keys: HeldKeys): void => {
      const [key, files] = [keyOf(entry), filesOfEntry(entry)];
      const held = keys.byKey.get(key);
      if (entry.expression === undefined) note(makers.get(held?.object ?? "")?.(files[0] ?? ""), held);
      else files.map(makerOfFile).forEach((maker) => note(maker, maker && keys.byPlace.get(placeOf(key, objectIdOf(maker)))));
    };
    for (const secretObject of secretObjects) {
      const keys = this.#keysOf(secretObject);
      secretObject.data?.forEach((entry) => noteEntry(entry, keys));
    }
    return firstOfEach(made, (pair) => pair);
  }

  #keysOf(secretObject: SecretObjectEntries): HeldKeys {
    return this.#bySecret.get(nameOf(secretObject)) ?? NONE;
  }
}

/** Of several with the same name the first one counts. */
function firstOfEach<T, K, V>(items: readonly T[], entryOf: (item: T) => readonly [K, V]): ReadonlyMap<K, V> {
  return new Map(items.map(entryOf).toReversed());
}

function itself(object: ClassObject): ClassObject {
  return object;
}

function heldKeysOf(data: readonly KeyStatus[]): HeldKeys {
  return { byKey: firstOfEach(data, (key) => [key.key, key]), byPlace: firstOfEach(data, (key) => [placeOf(key.key, key.object), key]) };
}

function placeOf(key: string, object: string | undefined): string {
  return `${key} ${object ?? ""}`;
}

function isMadeOf(held: KeyStatus | undefined, source: KnownVersion): boolean {
  return held !== undefined && isSameVersion(held, source);
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

export function nameOf({ secretName }: Pick<SecretObjectEntries, "secretName">): string {
  return trimSpace(secretName ?? "");
}
