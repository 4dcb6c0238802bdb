/** Which classes may name an object of a vault, by what their text says. */
import { Groups } from "../../domain/groups.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import { MAX_OBJECTS } from "../../domain/provider-class/class-limits.ts";
import { parameter } from "../../domain/provider-class/identity-mode.ts";
import { MAX_OBJECTS_LENGTH } from "../../domain/provider-class/objects-yaml.ts";
import { OBJECT_SELECTORS } from "../../domain/provider-class/parameters.ts";
import { MAX_VAULT_NAME } from "../../domain/read-class.ts";
import { textNumber } from "../../domain/text-number.ts";

/**
 * A name after its key, in the forms that people write: nothing but quotes, a colon and blanks stands between the two, and the name ends with
 * its word. Without a name where the text has it in another of YAML's forms: an alias, a tag, a folded text.
 */
const NAMED = /objectName(?:[\s"'\\:]{1,40}([-0-9A-Za-z]{1,127})(?=["'\s,}\]]|\\["'nrt]|$))?/gi;

/** Characters by their numbers may be those of a key. */
const ESCAPED = /\\[uUx]/;

export interface NamingChange {
  readonly previous: SecretProviderClass | undefined;
  readonly current: SecretProviderClass | undefined;
}

/** What is kept of a class. */
interface NamedIn {
  readonly classKey: string;
  /** A number for each name, in their order: four bytes, which is less than the text that it stands for. */
  readonly names: Uint32Array;
  /** It selects objects, or its text has a name in a form that is not read here: it may be any. */
  readonly mayNameAny: boolean;
}

/**
 * No class is parsed for it: whoever is found names the object, or has its name in another place, or one with the same number, which costs one
 * look at nothing. What it takes is beside the room that classes have (ADR 46): at most 8 kB of a class.
 */
export class NamedObjects {
  /** By vault, in lower case. */
  readonly #byVault = new Groups<NamedIn>();

  note({ previous, current }: NamingChange): void {
    if (previous !== undefined && current !== undefined && isSameText(previous, current)) return;
    if (previous !== undefined) this.#byVault.delete(vaultOf(previous), keyOf(previous));
    if (current === undefined) return;
    const [vault, classKey] = [vaultOf(current), keyOf(current)];
    if (vault !== "") this.#byVault.set(vault, classKey, { classKey, ...namesIn(current) });
  }

  /** Keys of classes (`namespace/name`). */
  classesOf(vault: string): readonly string[] {
    return this.#byVault.of(vault.toLowerCase()).map(({ classKey }) => classKey);
  }

  classesNaming(vault: string, object: string): readonly string[] {
    const wanted = textNumber(object.toLowerCase());
    return this.#byVault
      .of(vault.toLowerCase())
      .flatMap(({ classKey, names, mayNameAny }) => (mayNameAny || holds(names, wanted) ? [classKey] : []));
  }
}

function isSameText(one: SecretProviderClass, other: SecretProviderClass): boolean {
  return vaultOf(one) === vaultOf(other) && objectsOf(one) === objectsOf(other) && selectsObjects(one) === selectsObjects(other);
}

/** Empty for what is no vault's name, and would be kept. */
function vaultOf({ spec }: SecretProviderClass): string {
  const name = parameter(spec?.parameters ?? {}, "keyvaultName");
  return name.length > MAX_VAULT_NAME ? "" : name.toLowerCase();
}

function objectsOf({ spec }: SecretProviderClass): string {
  return parameter(spec?.parameters ?? {}, "objects");
}

function selectsObjects({ spec }: SecretProviderClass): boolean {
  return parameter(spec?.parameters ?? {}, OBJECT_SELECTORS) !== "";
}

/** Of a text that is longer than a class may have, none; of names, as many as a class may have objects: with more it is not mirrored. */
function namesIn(spc: SecretProviderClass): Pick<NamedIn, "names" | "mayNameAny"> {
  const text = objectsOf(spc);
  if (text.length > MAX_OBJECTS_LENGTH) return { names: new Uint32Array(), mayNameAny: false };
  const numbers = new Set<number>();
  let mayNameAny = selectsObjects(spc) || ESCAPED.test(text);
  for (const [, name] of text.matchAll(NAMED)) {
    if (name === undefined) mayNameAny = true;
    else numbers.add(textNumber(name.toLowerCase()));
    if (numbers.size >= MAX_OBJECTS) break;
  }
  return { names: Uint32Array.from(numbers).sort(), mayNameAny };
}

function holds(ascending: Uint32Array, wanted: number): boolean {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === wanted;
}
