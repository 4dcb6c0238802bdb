import type { SecretProviderClass } from "../kubernetes.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { type SecretObjectEntries, secretObjectEntries } from "../secret-data/data-entries.ts";

const PROVIDER = "azure";

export function isOurs({ spec }: SecretProviderClass): boolean {
  return spec?.provider === PROVIDER;
}

/** Returns the `secretObjects` that the worker syncs, with trimmed names. Returns none for a class of another provider. */
export function secretObjectsOf(provider: SecretProviderClass): readonly (SecretObjectEntries & { readonly secretName: string })[] {
  if (!isOurs(provider)) return [];
  return secretObjectEntries(provider.spec).map((secretObject) => ({
    ...secretObject,
    secretName: trimSpace(secretObject.secretName ?? ""),
  }));
}
