import { randomBytes } from "node:crypto";

/** What the service calls attributes, plus tags; times in Unix seconds. */
export interface Properties {
  readonly enabled?: boolean | undefined;
  readonly notBefore?: number | undefined;
  readonly expires?: number | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** What every version of every kind of object has. */
export interface Version extends Properties {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly version: string;
  readonly enabled: boolean;
  readonly created: number;
  readonly updated: number;
}

export function newVersionId(): string {
  return randomBytes(16).toString("hex");
}

/** The objects of one kind in one vault. Names are case-insensitive; the first spelling is the one that is shown. */
export class VersionedCollection<Content extends object> {
  readonly #objects = new Map<string, (Version & Content)[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new version, which becomes the current one; under a given id for the parts of one certificate. */
  add(name: string, content: Content & Properties, version: string = newVersionId()): Version & Content {
    const now = this.#now();
    const versions = this.versions(name);
    const facts = { name: versions[0]?.name ?? name, version, enabled: content.enabled ?? true, created: now, updated: now };
    const stored: Version & Content = { ...content, ...facts };
    this.#objects.set(name.toLowerCase(), [...versions, stored]);
    return stored;
  }

  /** The current version without `version`. Disabled ones are found too: refusing them is the data plane's business. */
  find(name: string, version?: string): (Version & Content) | undefined {
    const versions = this.versions(name);
    return version === undefined ? versions.at(-1) : versions.find((one) => one.version === version.toLowerCase());
  }

  /** Changes what is given, keeps the rest; never makes a version. */
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

  delete(name: string): boolean {
    return this.#objects.delete(name.toLowerCase());
  }

  /** Oldest first. */
  versions(name: string): readonly (Version & Content)[] {
    return this.#objects.get(name.toLowerCase()) ?? [];
  }

  /** The current version of each object, by name. */
  current(): readonly (Version & Content)[] {
    return [...this.#objects.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([, versions]) => versions.slice(-1));
  }
}
