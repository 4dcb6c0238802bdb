/** Selects objects with the selectors of a class from the lists of a vault, and names their keys. Pure. */
import { objectIdOf } from "../content/object-file.ts";
import type { ListedObject } from "../ports/vault-object.ts";
import { MAX_DATA_ENTRIES } from "../provider-class/class-limits.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import type { ClassObject, ObjectType } from "../provider-class/object-rules.ts";
import { quoted } from "../quoted.ts";
import type { VaultListing } from "../schedule/object-check.ts";
import { ownEntry } from "../text-map.ts";
import { WeakCache } from "../weak-cache.ts";
import { type DataEntry, entryKey, type SecretObjectEntries } from "./data-entries.ts";
import { type KeyRule, OBJECT_SELECTORS_FIELD, type ObjectSelector, type ObjectSelectors } from "./read-selectors.ts";

/** Reason why a Secret stays unchanged. */
export interface SelectionProblem {
  readonly reason: "Forbidden" | "ObjectNotFound" | "InvalidClass" | "TooLarge";
  readonly message: string;
}

/** Content of a Secret, according to the status of the class. */
export interface HeldSecret {
  readonly name: string;
  readonly data: readonly { readonly key: string; readonly object?: string; readonly version?: string }[];
}

export interface SelectionInput {
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObjectEntries[];
  readonly selectors: ObjectSelectors;
  /** Returns undefined if the identity has no permission to list, or if the vault has too many objects. */
  readonly listingOf: (type: ObjectType) => VaultListing | undefined;
  /** The Secrets according to the status. */
  readonly stored: readonly HeldSecret[];
  /** Whether the object with this id may be removed: an earlier complete list lacked it as well, and no pod needs it. */
  readonly mayGo: (objectId: string) => boolean;
}

export interface Selection {
  /** The objects that the class names, then the selected ones. */
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObjectEntries[];
  readonly problems: ReadonlyMap<string, SelectionProblem>;
  /** Reason why a list of the vault is missing, so that its selectors were not evaluated; undefined if no list is missing. */
  readonly unlisted: SelectionProblem | undefined;
  /** Objects that a Secret contains but the list lacks. They stay for now. */
  readonly leaving: ReadonlySet<ClassObject>;
}

export function selectObjects(input: SelectionInput): Selection {
  const selected = new Map<string, ClassObject>();
  const leaving = new Set<ClassObject>();
  const problems = new Map<string, SelectionProblem>();
  let unlisted: SelectionProblem | undefined;
  const secretObjects = input.secretObjects.map((secretObject) => {
    const name = trimSpace(secretObject.secretName ?? "");
    const selector = input.selectors.get(name);
    if (selector === undefined) return secretObject;
    const listing = input.listingOf(selector.type);
    if (listing === undefined) {
      unlisted = UNLISTED;
      problems.set(name, UNLISTED);
      return secretObject;
    }
    const taken = takeFor(secretObject, { name, selector, listing }, input);
    const entries = [...(secretObject.data ?? []), ...taken.map(({ object, key }): DataEntry => ({ key, objectName: object.path }))];
    const problem = taken.length === 0 ? NOTHING_TAKEN : entriesProblem(name, entries, selected.size);
    if (problem !== undefined) problems.set(name, problem);
    else
      for (const { object, isLeaving } of taken) {
        const same = selected.get(object.path) ?? object;
        selected.set(object.path, same);
        if (isLeaving) leaving.add(same);
      }
    return problem === undefined ? { ...secretObject, data: entries } : secretObject;
  });
  return { objects: [...input.objects, ...selected.values()], secretObjects, problems, unlisted, leaving };
}

interface Taken {
  readonly object: ClassObject;
  readonly key: string;
  readonly isLeaving: boolean;
}

interface Selecting {
  /** Name of the Secret. */
  readonly name: string;
  readonly selector: ObjectSelector;
  readonly listing: VaultListing;
}

function takeFor(
  { data = [] }: SecretObjectEntries,
  { name, selector, listing }: Selecting,
  { stored, mayGo }: SelectionInput,
): readonly Taken[] {
  const isMatch = matcherOf(selector);
  const secret = stored.find((one) => one.name === name);
  const held = heldBy(secret, selector.type, new Set(data.map(entryKey)));
  const taken: Taken[] = [];
  for (const listed of listing.objects.values()) {
    // One more than the maximum is enough to exceed the limit.
    if (taken.length > MAX_DATA_ENTRIES) break;
    // A disabled object is selected only if the Secret already has it. The worker then reports it, as for an object that the class names.
    if (isMatch(listed) && (listed.isEnabled || held.has(listed.name.toLowerCase()))) taken.push(takenOf(listed.name, selector, false));
  }
  // An object that is in the list but no longer matches the selector is removed immediately.
  const gone = [...held].filter(([lower]) => !listing.objects.has(lower));
  const left = gone.filter(([, objectName]) => !mayGo(objectIdOf({ type: selector.type, name: objectName })));
  return [...taken, ...left.map(([, objectName]) => takenOf(objectName, selector, true))].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** No alias has two consecutive dots, so the path differs from the file of every object that the class names. */
function selectedPath(type: ObjectType, name: string): string {
  return `..selected/${type}/${name.toLowerCase()}`;
}

function takenOf(name: string, { type, keys }: ObjectSelector, isLeaving: boolean): Taken {
  const object: ClassObject = {
    type,
    name,
    version: undefined,
    history: 0,
    path: selectedPath(type, name),
    format: "pem",
    encoding: "utf-8",
    filePermission: "",
  };
  return { object, key: keyFor(name, keys), isLeaving };
}

export function keyFor(name: string, { removePrefix, letters, hyphens }: KeyRule): string {
  const isPrefixed = removePrefix !== "" && name.toLowerCase().startsWith(removePrefix.toLowerCase());
  const rest = (isPrefixed ? name.slice(removePrefix.length) : name).replaceAll("-", hyphens);
  if (letters === "upper") return rest.toUpperCase();
  return letters === "lower" ? rest.toLowerCase() : rest;
}

function matcherOf({ names, tags, hasCertificates }: ObjectSelector): (listed: ListedObject) => boolean {
  return ({ name, details }) => {
    if (details?.isManaged === true && !hasCertificates) return false;
    if (!isSelectedName(name, names)) return false;
    return [...tags].every(([tag, value]) => ownEntry(details?.tags, tag) === value);
  };
}

/** Whether a name matches one of the patterns, or there is no pattern. Patterns are in lower case, and the name's case does not matter. */
export function isSelectedName(name: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  const lower = name.toLowerCase();
  return partsOf.getOrCreate(patterns, () => patterns.map((pattern) => pattern.split("*"))).some((parts) => hasParts(lower, parts));
}

/** The parts of each pattern. The worker compares the patterns of a class with each name of a list, so it splits them once. */
const partsOf = new WeakCache<readonly string[], readonly (readonly string[])[]>();

/** Matches in linear time: between two `*`, the first possible position is enough. */
function hasParts(name: string, parts: readonly string[]): boolean {
  const [start = ""] = parts;
  const end = parts.length > 1 ? parts.at(-1) : undefined;
  if (end === undefined) return name === start;
  if (!name.startsWith(start) || !name.endsWith(end) || name.length < start.length + end.length) return false;
  let at = start.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - end.length;
}

/** Returns the names of the selected objects in the Secret, by name in lower case. Ignores the keys that the class itself names. */
function heldBy(secret: HeldSecret | undefined, type: ObjectType, named: ReadonlySet<string>): ReadonlyMap<string, string> {
  const names = (secret?.data ?? []).flatMap(({ key, object = "", version }) => {
    const isSelected = !named.has(key) && version !== undefined && object.startsWith(`${type}/`);
    return isSelected ? [object.slice(type.length + 1)] : [];
  });
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}

const UNLISTED: SelectionProblem = {
  reason: "Forbidden",
  message: `the objects of the vault cannot be listed, which ${OBJECT_SELECTORS_FIELD} requires: grant the identity the list permission, or name the objects; a vault with more than 10,000 objects is not listed`,
};

const NOTHING_TAKEN: SelectionProblem = {
  reason: "ObjectNotFound",
  message: `no object of the vault matches ${OBJECT_SELECTORS_FIELD}; the Secret stays unchanged`,
};

function entriesProblem(name: string, entries: readonly DataEntry[], selected: number): SelectionProblem | undefined {
  if (entries.length + selected > MAX_DATA_ENTRIES) {
    const message = `${OBJECT_SELECTORS_FIELD}[${name}] selects more than the ${MAX_DATA_ENTRIES} objects that a class can have: select fewer`;
    return { reason: "TooLarge", message };
  }
  const byKey = new Map<string, DataEntry>();
  for (const entry of entries) {
    const other = byKey.get(entryKey(entry));
    if (other !== undefined) {
      const message = `${shown(other)} and ${shown(entry)} would both become the key ${quoted(entryKey(entry))}: change ${OBJECT_SELECTORS_FIELD}[${name}][keys], or select one of them`;
      return { reason: "InvalidClass", message };
    }
    byKey.set(entryKey(entry), entry);
  }
  return undefined;
}

function shown({ objectName = "" }: DataEntry): string {
  return objectName.replace(/^\.\.selected\//, "");
}
