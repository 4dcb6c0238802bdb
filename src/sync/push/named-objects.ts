/** Which classes may name an object of a vault, by what their text says. */
import { Groups } from "../../domain/groups.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import { parameter } from "../../domain/provider-class/identity-mode.ts";

/** A name after its key, in whichever of YAML's forms: nothing but quotes, a colon and blanks stands between the two. */
const NAMED = /objectName[\s"'\\:]{1,40}([-0-9A-Za-z]{1,127})/gi;

export interface ClassChange {
  readonly previous: SecretProviderClass | undefined;
  readonly current: SecretProviderClass | undefined;
}

/** No class is parsed for it: whoever is found names the object, or has its name in another place, which costs one look at nothing. */
export class NamedObjects {
  /** By vault and name, both in lower case. */
  readonly #byObject = new Groups<string>();
  readonly #byVault = new Groups<string>();

  note({ previous, current }: ClassChange): void {
    if (previous !== undefined && current !== undefined && isSameText(previous, current)) return;
    if (previous !== undefined) this.#remove(previous);
    if (current !== undefined) this.#add(current);
  }

  /** Keys of classes (`namespace/name`). */
  classesOf(vault: string): readonly string[] {
    return this.#byVault.of(vault.toLowerCase());
  }

  classesNaming(vault: string, object: string): readonly string[] {
    return this.#byObject.of(placeOf(vault, object));
  }

  #add(spc: SecretProviderClass): void {
    const key = keyOf(spc);
    const vault = vaultOf(spc);
    if (vault === "") return;
    this.#byVault.set(vault, key, key);
    for (const name of namesIn(spc)) this.#byObject.set(placeOf(vault, name), key, key);
  }

  #remove(spc: SecretProviderClass): void {
    const key = keyOf(spc);
    const vault = vaultOf(spc);
    this.#byVault.delete(vault, key);
    for (const name of namesIn(spc)) this.#byObject.delete(placeOf(vault, name), key);
  }
}

function isSameText(one: SecretProviderClass, other: SecretProviderClass): boolean {
  return vaultOf(one) === vaultOf(other) && objectsOf(one) === objectsOf(other);
}

function vaultOf({ spec }: SecretProviderClass): string {
  return parameter(spec?.parameters ?? {}, "keyvaultName").toLowerCase();
}

function objectsOf({ spec }: SecretProviderClass): string {
  return parameter(spec?.parameters ?? {}, "objects");
}

function namesIn(spc: SecretProviderClass): ReadonlySet<string> {
  return new Set([...objectsOf(spc).matchAll(NAMED)].map(([, name = ""]) => name.toLowerCase()));
}

function placeOf(vault: string, object: string): string {
  return `${vault} ${object}`.toLowerCase();
}
