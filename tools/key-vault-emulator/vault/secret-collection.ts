import { type Properties, type Version, VersionedCollection } from "./versioned-collection.ts";

export interface SecretProperties extends Properties {
  readonly contentType?: string | undefined;
}

/** One version without its value. */
export interface SecretVersion extends Version {
  readonly contentType?: string | undefined;
  /** URL of the key, only for a secret that belongs to a certificate. */
  readonly kid?: string | undefined;
}

export interface StoredSecret extends SecretVersion {
  readonly value: string;
}

type SecretContent = Pick<StoredSecret, "value" | "contentType" | "kid">;

/** The secrets of one vault. */
export class SecretCollection extends VersionedCollection<SecretContent> {
  /** Adds a new version, which becomes the current one. */
  set(name: string, value: string, properties: SecretProperties = {}): StoredSecret {
    return this.add(name, { ...properties, value });
  }
}

export function withoutValue(secret: StoredSecret): SecretVersion {
  const { value: dropped, ...version } = secret;
  void dropped;
  return version;
}
