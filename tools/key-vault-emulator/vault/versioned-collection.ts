import { randomBytes } from "node:crypto";

import { EmulatorInputError } from "../input-error.ts";

/** The service's attributes, and tags. Times in Unix seconds. */
export interface Properties {
  readonly enabled?: boolean | undefined;
  readonly notBefore?: number | undefined;
  readonly expires?: number | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** Fields that every version of every kind of object has. */
export interface Version extends Properties {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly version: string;
  readonly enabled: boolean;
  readonly created: number;
  readonly updated: number;
}

/** A deleted object with all its versions, which a client can recover or purge. */
export interface Deleted<Stored> {
  /** Oldest first. */
  readonly versions: readonly Stored[];
  /** Unix seconds. */
  readonly at: number;
}

export function newVersionId(): string {
  return randomBytes(16).toString("hex");
}

/** Objects of one kind in one vault. Names are case-insensitive. Answers contain the first spelling. */
export class VersionedCollection<Content extends object> {
  readonly #objects = new Map<string, readonly (Version & Content)[]>();
  readonly #deleted = new Map<string, Deleted<Version & Content>>();
  /** Names of all objects, including removed ones. */
  readonly #names = new Set<string>();
  readonly #now: () => number;
  readonly #onAdded: (added: Version & Content) => void;

  /** Calls `onAdded` for each new version after it has become the current one. */
  constructor(now: () => number, onAdded: (added: Version & Content) => void = () => undefined) {
    this.#now = now;
    this.#onAdded = onAdded;
  }

  /** Adds a new version, which becomes the current one. The parts of one certificate share a given id. */
  add(name: string, content: Content & Properties, version: string = newVersionId()): Version & Content {
    if (this.findDeleted(name) !== undefined)
      throw new EmulatorInputError(`name: ${name} is deleted, and can be recovered; recover or purge it, or choose another name`);
    const now = this.#now();
    const versions = this.versions(name);
    const facts = { name: versions[0]?.name ?? name, version, enabled: content.enabled ?? true, created: now, updated: now };
    const stored: Version & Content = { ...content, ...facts };
    this.#objects.set(name.toLowerCase(), [...versions, stored]);
    this.#names.add(name.toLowerCase());
    this.#onAdded(stored);
    return stored;
  }

  /** Returns the current version if `version` is missing. Also returns disabled versions, which the data plane rejects. */
  find(name: string, version?: string): (Version & Content) | undefined {
    const versions = this.versions(name);
    return version === undefined ? versions.at(-1) : versions.find((one) => one.version === version.toLowerCase());
  }

  /** Changes the given fields only, without a new version. */
  update(name: string, version: string | undefined, changes: Partial<Content & Properties>): (Version & Content) | undefined {
    const target = this.find(name, version);
    if (target === undefined) return undefined;
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const changed: Version & Content = { ...target, ...given, updated: this.#now() };
    this.#objects.set(
      name.toLowerCase(),
      this.versions(name).map((one) => (one === target ? changed : one)),
    );
    return changed;
  }

  /** Removes the object permanently, as after delete and purge. */
  delete(name: string): boolean {
    return this.#objects.delete(name.toLowerCase());
  }

  /** Undefined if no such object exists. */
  softDelete(name: string): Deleted<Version & Content> | undefined {
    const versions = this.versions(name);
    if (versions.length === 0) return undefined;
    const deleted = { versions, at: this.#now() };
    this.#objects.delete(name.toLowerCase());
    this.#deleted.set(name.toLowerCase(), deleted);
    return deleted;
  }

  findDeleted(name: string): Deleted<Version & Content> | undefined {
    return this.#deleted.get(name.toLowerCase());
  }

  /** Returns the current version of the recovered object. Undefined if it was not deleted. */
  recover(name: string): (Version & Content) | undefined {
    const deleted = this.findDeleted(name);
    if (deleted === undefined) return undefined;
    this.#deleted.delete(name.toLowerCase());
    this.#objects.set(name.toLowerCase(), deleted.versions);
    return deleted.versions.at(-1);
  }

  purge(name: string): boolean {
    return this.#deleted.delete(name.toLowerCase());
  }

  /** Oldest first. */
  versions(name: string): readonly (Version & Content)[] {
    return this.#objects.get(name.toLowerCase()) ?? [];
  }

  /** Current version of each object that ever existed, by name. Undefined for a removed object. */
  current(): readonly ((Version & Content) | undefined)[] {
    return this.#byName((name) => this.versions(name).at(-1));
  }

  /** Deleted state of each object that ever existed, by name. Undefined for an object that is not deleted. */
  deleted(): readonly (Deleted<Version & Content> | undefined)[] {
    return this.#byName((name) => this.findDeleted(name));
  }

  #byName<T>(find: (name: string) => T): readonly T[] {
    return [...this.#names].sort().map(find);
  }
}
