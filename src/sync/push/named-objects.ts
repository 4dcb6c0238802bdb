/** Finds the classes that may name an object of a vault, by the text of the classes. */
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
 * Matches `objectName` with the name that follows, in the forms that people write: only quotes, colons, backslashes and blanks between the
 * two, and the name ends with its word. Captures no name if the text has it in another form of YAML: an alias, a tag, a folded text.
 */
const NAMED = /objectName(?:[\s"'\\:]{1,40}([-0-9A-Za-z]{1,127})(?=["'\s,}\]]|\\["'nrt]|$))?/gi;

/** Matches escape sequences for characters, which may spell the key `objectName`. */
const ESCAPED = /\\[uUx]/;

export interface NamingChange {
  readonly previous: SecretProviderClass | undefined;
  readonly current: SecretProviderClass | undefined;
}

/** Part of a class that the index keeps. */
interface NamedIn {
  readonly classKey: string;
  /** Hash of each name, in ascending order: four bytes, which is less than the name. */
  readonly names: Uint32Array;
  /** Whether the class may name any object, because it selects objects, or because its text has a name in a form that is not read here. */
  readonly mayNameAny: boolean;
}

/**
 * Index of the objects that classes name, built without parsing the classes. A class that it finds may have the name in another place of
 * its text, or another name with the same hash. Such a class costs one check without effect. The index is not part of the memory that is
 * reserved for classes (ADR 46): it takes at most 8 kB for each class.
 */
export class NamedObjects {
  /** By the name of the vault in lower case. */
  readonly #byVault = new Groups<NamedIn>();

  note({ previous, current }: NamingChange): void {
    if (previous !== undefined && current !== undefined && isSameText(previous, current)) return;
    if (previous !== undefined) this.#byVault.delete(vaultOf(previous), keyOf(previous));
    if (current === undefined) return;
    const [vault, classKey] = [vaultOf(current), keyOf(current)];
    if (vault !== "") this.#byVault.set(vault, classKey, { classKey, ...namesIn(current) });
  }

  /** Returns the keys (`namespace/name`) of the classes that name the vault. */
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

/** Whether an index with the class would return it for the vault and the object; `object` undefined: for the vault. */
export function mayName(spc: SecretProviderClass, vault: string, object?: string): boolean {
  if (vaultOf(spc) !== vault.toLowerCase()) return false;
  if (object === undefined) return true;
  const { names, mayNameAny } = namesIn(spc);
  return mayNameAny || holds(names, textNumber(object.toLowerCase()));
}

function isSameText(one: SecretProviderClass, other: SecretProviderClass): boolean {
  return vaultOf(one) === vaultOf(other) && objectsOf(one) === objectsOf(other) && selectsObjects(one) === selectsObjects(other);
}

/** Returns the name of the vault in lower case; empty if it is too long for a vault, so that the index does not keep it. */
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

/** Returns no names of a text that is too long for a class, and no more names than a class may have: the worker syncs no such class. */
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
