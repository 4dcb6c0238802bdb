import type { ClassObject } from "../provider-class/object-rules.ts";
import { quoted } from "../quoted.ts";
import { type PreflightWarning, warning } from "./warning.ts";

/**
 * What a vault takes as a name (learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates). The provider does not look at
 * it, so the mount fails later, by the vault's own answer. A warning alone: a custom cloud's vault may differ.
 */
const VAULT_NAME = /^[0-9a-zA-Z-]{1,127}$/;

/** A class may name thousands. */
const MOST_TOLD = 20;

/** Names that no vault has: the spelling of an environment variable, most of all, which is meant as an alias. */
export function objectNameWarnings(objects: readonly ClassObject[]): readonly PreflightWarning[] {
  const impossible = [...objects.entries()].filter(([, { name }]) => !VAULT_NAME.test(name));
  const told = impossible.slice(0, MOST_TOLD).map(([index, { name }]) => {
    const fix = `write the vault's name, and ${quoted(name, 30)} as objectAlias if the file is to be called so`;
    return warning(
      "InvalidObject",
      `objects[${index}].objectName ${quoted(name, 30)}: a vault's names are 1 to 127 letters, digits and dashes: ${fix}`,
    );
  });
  const more = impossible.length - told.length;
  return more === 0 ? told : [...told, warning("InvalidObject", `${more} more objectNames are none that a vault has`)];
}
