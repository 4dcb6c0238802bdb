import { createHash } from "node:crypto";
import { canonical } from "../../domain/healing/snapshot.ts";
import type { SecretProviderClass, SecretProviderClassSpec } from "../../domain/kubernetes.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { WeakCache } from "../../domain/weak-cache.ts";

const NONE: ReadonlyMap<string, string> = new Map();

const hashes = new WeakCache<SecretProviderClassSpec, ReadonlyMap<string, string>>();

/**
 * Returns, by Secret name, a hash of everything besides the vault that determines the Secret's content: the `secretObjects` of that name
 * and all parameters. The generation shows neither what a Secret was written from nor whether the class is still the same object.
 */
export function specHashes(provider: SecretProviderClass): ReadonlyMap<string, string> {
  const { spec } = provider;
  return spec === undefined ? NONE : hashes.getOrCreate(spec, () => hashesOf(provider, spec));
}

function hashesOf(provider: SecretProviderClass, { parameters = {} }: SecretProviderClassSpec): ReadonlyMap<string, string> {
  // Computed once: `objects` may be long, and a class may have many Secrets.
  const common = hashOf(parameters);
  const byName = Map.groupBy(secretObjectsOf(provider), ({ secretName }) => secretName);
  return new Map([...byName].map(([name, secretObjects]) => [name, hashOf([common, secretObjects])]));
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, 16);
}
