/** Which objects of a vault the selectors of a class take, by the lists of the vault, and under which keys. Pure. */
import { objectIdOf } from "../content/object-file.ts";
import type { ListedObject } from "../ports/vault-object.ts";
import { MAX_DATA_ENTRIES } from "../provider-class/class-limits.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import type { ClassObject, ObjectType } from "../provider-class/object-rules.ts";
import { quoted } from "../quoted.ts";
import type { VaultListing } from "../schedule/object-look.ts";
import { ownEntry } from "../text-map.ts";
import { WeakCache } from "../weak-cache.ts";
import { type DataEntry, entryKey, type SecretObjectEntries } from "./data-entries.ts";
import { type KeyRule, OBJECT_SELECTORS_FIELD, type ObjectSelector, type ObjectSelectors } from "./read-selectors.ts";

/** Why a Secret is left as it is. */
export interface SelectionProblem {
  readonly reason: "Forbidden" | "ObjectNotFound" | "InvalidClass" | "TooLarge";
  readonly message: string;
}

/** What a Secret was made of, as the status has it. */
export interface HeldSecret {
  readonly name: string;
  readonly data: readonly { readonly key: string; readonly object?: string; readonly version?: string }[];
}

export interface SelectionInput {
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObjectEntries[];
  readonly selectors: ObjectSelectors;
  /** Undefined where the identity may not list, or the vault has too many. */
  readonly listingOf: (type: ObjectType) => VaultListing | undefined;
  /** What the status says of the Secrets. */
  readonly stored: readonly HeldSecret[];
  /** Whether the object, by its id, may go: a complete list before this one was without it, and no pod keeps it. */
  readonly mayGo: (objectId: string) => boolean;
}

export interface Selection {
  /** Those of the class, then those that were selected. */
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObjectEntries[];
  readonly problems: ReadonlyMap<string, SelectionProblem>;
  /** Why a vault was not listed, and what is selected from it not looked at; undefined where all was. */
  readonly unlisted: SelectionProblem | undefined;
  /** Objects that a Secret holds, and that the list no longer has: they stay for now. */
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
  /** Of the Secret. */
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
    // One more than a class can have is too many, however many more there are.
    if (taken.length > MAX_DATA_ENTRIES) break;
    // A disabled one is taken by nobody who has not got it; who has it is told, as of an object that the class names.
    if (isMatch(listed) && (listed.isEnabled || held.has(listed.name.toLowerCase()))) taken.push(takenOf(listed.name, selector, false));
  }
  // What the list has, and the selector no longer asks for, goes at once.
  const gone = [...held].filter(([lower]) => !listing.objects.has(lower));
  const left = gone.filter(([, objectName]) => !mayGo(objectIdOf({ type: selector.type, name: objectName })));
  return [...taken, ...left.map(([, objectName]) => takenOf(objectName, selector, true))].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** No alias has two dots in a row: the file of an object that the class names is another one. */
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

/** Without a pattern every name is. Patterns are in lower case; of the name case does not count. */
export function isSelectedName(name: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  const lower = name.toLowerCase();
  return partsOf.getOrCreate(patterns, () => patterns.map((pattern) => pattern.split("*"))).some((parts) => hasParts(lower, parts));
}

/** Patterns of a class are compared with each name of a list: they are taken apart once. */
const partsOf = new WeakCache<readonly string[], readonly (readonly string[])[]>();

/** In time that grows with the lengths: between two `*` the first place that fits will do. */
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

/** By the name in lower case, the name: of what the Secret's keys are made of, but for the keys that the class names itself. */
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
