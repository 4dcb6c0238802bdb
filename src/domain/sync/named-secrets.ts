import type { SecretObject, SecretProviderClass } from "../kubernetes.ts";
import { trimSpace } from "../provider-class/go-text.ts";

const PROVIDER = "azure";

/** The secretObjects that the worker mirrors, with their names as they count: none for another provider's class. */
export function secretObjectsOf(provider: SecretProviderClass): readonly (SecretObject & { readonly secretName: string })[] {
  if (provider.spec?.provider !== PROVIDER) return [];
  return (provider.spec.secretObjects ?? []).map((secretObject) => ({
    ...secretObject,
    secretName: trimSpace(secretObject.secretName ?? ""),
  }));
}
