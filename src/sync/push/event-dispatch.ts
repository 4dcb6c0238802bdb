import { hasHistory } from "../../domain/content/version-history.ts";
import type { SecretProviderClass, SecretProviderClassSpec } from "../../domain/kubernetes.ts";
import { keyOf, refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { narrowObjects, type ObjectType } from "../../domain/provider-class/object-rules.ts";
import { type CloudOptions, readParameters } from "../../domain/provider-class/parameters.ts";
import { readEntriesOf } from "../../domain/read-class.ts";
import { readSelectorsOf } from "../../domain/secret-data/read-selectors.ts";
import { isSelectedName } from "../../domain/secret-data/select-objects.ts";
import type { AccessEvent, ObjectEvent, VaultEvent } from "../../domain/vault-events/vault-event.ts";
import type { Breaths } from "../../runtime/breaths.ts";
import { versionCacheKey } from "../vault/object-version-cache.ts";
import { type Hints, REFUSED_OBJECTS, type Waiter } from "./hints.ts";
import { mayName, type NamedObjects } from "./named-objects.ts";
import type { MessageOutcome } from "./push-metrics.ts";

export interface DispatchOptions {
  readonly named: NamedObjects;
  readonly hints: Pick<Hints, "add">;
  readonly classes: DispatchedClasses;
  /** Whether the worker fetches objects of the class at the moment. No pass would read the hints of any other class. */
  readonly isFetched: (spc: SecretProviderClass) => boolean;
  /** Remembers for a class (`namespace/name`) that is not fetched at the moment that one of its objects has changed. */
  readonly noteUnfetched: (classKey: string) => void;
  readonly cloud: CloudOptions;
  /** Whether other shards exist. This worker does not know their classes. */
  readonly hasOtherShards: boolean;
  /** Number of objects that the vault refuses to the class (`namespace/name`) because a permission is missing. */
  readonly refusedObjects: (classKey: string) => number | "all";
}

/** Classes that events may concern. */
export interface DispatchedClasses {
  readonly get: (ref: ReturnType<typeof refOfKey>) => HeldClass | undefined;
  /** Classes that were lost with their CRD, and that the worker has not restored yet. Their hints wait for them. */
  readonly lost: () => Iterable<SecretProviderClass>;
}

/** Result of a dispatch. The waiter is called `waits` times. */
export interface Dispatched {
  readonly outcome: MessageOutcome;
  readonly waits: number;
}

/**
 * Units of event loop time for one class, as {@link Breaths} counts them, and the entries of a class that take one unit more. For a lost
 * class, they are the characters of its objects, because the worker reads its snapshot.
 */
const UNITS_OF_A_CLASS = 10;
const ENTRIES_OF_A_UNIT = 50;
const CHARACTERS_OF_A_UNIT = 100;

/** An event whose classes get hints. */
export interface Dispatching<E> {
  readonly event: E;
  readonly waiter: Waiter;
  /** Takes a breath after each class: one event may concern thousands. */
  readonly breaths: Pick<Breaths, "spend">;
}

export function dispatchEvent(options: DispatchOptions, { event, ...given }: Dispatching<VaultEvent>): Promise<Dispatched> {
  return event.kind === "access" ? dispatchAccess(options, { ...given, event }) : dispatchObject(options, { ...given, event });
}

/** A class that an event may concern. */
interface Candidate {
  /** `namespace/name` */
  readonly key: string;
  readonly namesVault: boolean;
  /** Undefined if the event does not concern the class. */
  readonly spc: HeldClass | undefined;
  /** Units of event loop time. */
  readonly units: number;
}

/** Yields the classes of the vault that may name the object; `object` undefined: all classes of the vault. Also yields all lost classes. */
function* candidates({ named, classes }: Pick<DispatchOptions, "named" | "classes">, vault: string, object?: string): Generator<Candidate> {
  for (const key of object === undefined ? named.classesOf(vault) : named.classesNaming(vault, object)) {
    // A class that changes during a breath is what it is by then: the worker checks it because of the change.
    const spc = classes.get(refOfKey(key));
    yield { key, namesVault: true, spc, units: unitsOf(spc) };
  }
  for (const spc of classes.lost()) {
    const units = UNITS_OF_A_CLASS + (spc.spec?.parameters?.["objects"] ?? "").length / CHARACTERS_OF_A_UNIT;
    yield { key: keyOf(spc), namesVault: mayName(spc, vault), spc: mayName(spc, vault, object) ? spc : undefined, units };
  }
}

/** Adds one hint for each class to which the vault refuses objects, however many these are: the vault may now grant them. */
async function dispatchAccess(options: DispatchOptions, dispatching: Dispatching<AccessEvent>): Promise<Dispatched> {
  let [isKnown, waits] = [false, 0];
  for (const { key, namesVault, spc, units } of candidates(options, dispatching.event.vaultName)) {
    isKnown ||= namesVault;
    if (spc !== undefined && addAccessHint(options, { key, spc }, dispatching)) waits += 1;
    await dispatching.breaths.spend(units);
  }
  return { outcome: isKnown ? "access" : outcomeWithoutClass(options), waits };
}

function addAccessHint(
  options: DispatchOptions,
  { key, spc }: { readonly key: string; readonly spc: HeldClass },
  { event, waiter }: Dispatching<AccessEvent>,
): boolean {
  const refused = options.refusedObjects(key);
  if (refused === 0 || spc.spec === undefined || !options.isFetched(spc)) return false;
  const objects = refused === "all" ? readsOf(spc.spec) : refused;
  const news = { object: REFUSED_OBJECTS, change: "AccessChanged", objects, version: undefined, happenedAt: event.time } as const;
  return options.hints.add(key, news, waiter);
}

/**
 * Returns the number of objects that the class names, plus one for each list that its selectors need: the vault has not told yet what they
 * select. At least 1, also if the worker has not parsed the class yet, or cannot.
 */
function readsOf(spec: SecretProviderClassSpec): number {
  const [entries, selectors] = [readEntriesOf(spec), readSelectorsOf(spec)];
  const named = entries?.ok === true ? entries.value.length : 0;
  const lists = new Set(selectors?.ok === true ? [...selectors.value.values()].map(({ type }) => type) : []);
  return Math.max(1, named + lists.size);
}

/** Each shard receives all events, and does not know the vaults of the other shards' classes. */
function outcomeWithoutClass({ hasOtherShards }: DispatchOptions): MessageOutcome {
  return hasOtherShards ? "otherShard" : "foreign";
}

async function dispatchObject(options: DispatchOptions, dispatching: Dispatching<ObjectEvent>): Promise<Dispatched> {
  const { event, breaths } = dispatching;
  const [vault = ""] = event.vaultHost.split(".");
  let [isKnown, isNamed, reported, waits] = [false, false, 0, 0];
  for (const { key, namesVault, spc, units } of candidates(options, vault, event.name)) {
    isKnown ||= namesVault;
    if (spc !== undefined && isOfVault(options, spc, event)) {
      const types = typesNamed(spc, event);
      if (options.isFetched(spc)) {
        isNamed = true;
        reported += types.length;
        waits += addObjectHints(options, key, types, dispatching);
      } else if (types.length > 0) options.noteUnfetched(key);
    }
    await breaths.spend(units);
  }
  if (!isNamed) {
    isKnown ||= options.named.classesOf(vault).length > 0;
    return { outcome: isKnown ? "unnamed" : outcomeWithoutClass(options), waits: 0 };
  }
  return { outcome: reported === 0 ? "unnamed" : waits === 0 ? "duplicate" : "acted", waits };
}

function unitsOf(spc: HeldClass | undefined): number {
  const entries = spc?.spec && readEntriesOf(spc.spec);
  return UNITS_OF_A_CLASS + (entries?.ok === true ? entries.value.length / ENTRIES_OF_A_UNIT : 0);
}

/** Returns the number of hints that the event waits for. */
function addObjectHints(
  { hints }: Pick<DispatchOptions, "hints">,
  key: string,
  types: readonly ObjectType[],
  { event: { name, change, version, time }, waiter }: Pick<Dispatching<ObjectEvent>, "event" | "waiter">,
): number {
  const added = types.filter((type) => {
    const object = versionCacheKey({ type, name, version: undefined });
    return hints.add(key, { object, change, objects: 1, version, happenedAt: time }, waiter);
  });
  return added.length;
}

/** Compares the whole host: names of vaults are unique only within one cloud. */
function isOfVault({ cloud }: DispatchOptions, { spec }: SecretProviderClass, { vaultHost }: ObjectEvent): boolean {
  const read = readParameters(spec?.parameters ?? {}, cloud);
  return read.ok && `${read.value.vaultName}.${read.value.cloud.vaultSuffix}`.toLowerCase() === vaultHost;
}

/** Returns the event's types that the class names or selects; all of them before the worker has parsed the class, which can take long. */
function typesNamed(spc: SecretProviderClass, event: ObjectEvent): readonly ObjectType[] {
  const named = new Set([...typesWritten(spc, event), ...typesSelected(spc, event)]);
  return event.types.filter((type) => named.has(type));
}

/**
 * Returns the event's types whose selector matches the object's name; all of them if the worker has not parsed the class yet. The event
 * does not contain the object's tags.
 */
function typesSelected({ spec }: SecretProviderClass, { types, name }: ObjectEvent): readonly ObjectType[] {
  const read = spec && readSelectorsOf(spec);
  if (read === undefined) return types;
  if (!read.ok) return [];
  return [...read.value.values()].filter(({ names }) => isSelectedName(name, names)).map(({ type }) => type);
}

function typesWritten({ spec }: SecretProviderClass, { types, name }: ObjectEvent): readonly ObjectType[] {
  const read = spec && readEntriesOf(spec);
  if (read === undefined) return types;
  if (!read.ok) return [];
  // Converts only the entries for the event's object: a class may have thousands of entries, and thousands of classes may name the object.
  const named = narrowObjects(
    read.value.filter(({ objectName }) => objectName.length === name.length && objectName.toLowerCase() === name),
  );
  // The reconcile of the class reports why the class is invalid.
  if (!named.ok) return [];
  const changing = new Set(named.value.filter((object) => object.version === undefined || hasHistory(object)).map(({ type }) => type));
  return types.filter((type) => changing.has(type));
}
