import { randomBytes } from "node:crypto";

/** What the service calls attributes, plus content type and tags; times in Unix seconds. */
export interface SecretProperties {
  readonly contentType?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly notBefore?: number | undefined;
  readonly expires?: number | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** Everything about one version but its value. */
export interface SecretVersion extends SecretProperties {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly version: string;
  readonly enabled: boolean;
  readonly created: number;
  readonly updated: number;
}

export interface StoredSecret extends SecretVersion {
  readonly value: string;
}

/** The secrets of one vault. Names are case-insensitive; the first spelling is the one that is shown. */
export class SecretCollection {
  readonly #secrets = new Map<string, StoredSecret[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new version, which becomes the current one. */
  set(name: string, value: string, properties: SecretProperties = {}): StoredSecret {
    const now = this.#now();
    const versions = this.#secrets.get(name.toLowerCase()) ?? [];
    const stored: StoredSecret = {
      ...properties,
      name: versions[0]?.name ?? name,
      version: randomBytes(16).toString("hex"),
      enabled: properties.enabled ?? true,
      created: now,
      updated: now,
      value,
    };
    this.#secrets.set(name.toLowerCase(), [...versions, stored]);
    return stored;
  }

  /** The current version without `version`. Disabled ones are found too: refusing them is the data plane's business. */
  find(name: string, version?: string): StoredSecret | undefined {
    const versions = this.#secrets.get(name.toLowerCase()) ?? [];
    return version === undefined ? versions.at(-1) : versions.find((one) => one.version === version.toLowerCase());
  }

  /** Changes what is given, keeps the rest; never makes a version. */
  update(name: string, version: string | undefined, changes: SecretProperties): StoredSecret | undefined {
    const target = this.find(name, version);
    if (target === undefined) return undefined;
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const changed: StoredSecret = { ...target, ...given, updated: this.#now() };
    const versions = this.#secrets.get(name.toLowerCase()) ?? [];
    this.#secrets.set(
      name.toLowerCase(),
      versions.map((one) => (one === target ? changed : one)),
    );
    return changed;
  }

  delete(name: string): boolean {
    return this.#secrets.delete(name.toLowerCase());
  }

  /** Oldest first. */
  versions(name: string): readonly StoredSecret[] {
    return this.#secrets.get(name.toLowerCase()) ?? [];
  }

  /** The current version of each secret, by name. */
  current(): readonly StoredSecret[] {
    return [...this.#secrets.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([, versions]) => versions.slice(-1));
  }
}

export function withoutValue(secret: StoredSecret): SecretVersion {
  const { value: dropped, ...version } = secret;
  void dropped;
  return version;
}
