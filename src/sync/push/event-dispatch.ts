import { hasHistory } from "../../domain/content/version-history.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { narrowObjects, type ObjectType } from "../../domain/provider-class/object-rules.ts";
import { type CloudOptions, readParameters } from "../../domain/provider-class/parameters.ts";
import { readEntriesOf } from "../../domain/read-class.ts";
import { readSelectorsOf } from "../../domain/secret-data/read-selectors.ts";
import { isSelectedName } from "../../domain/secret-data/select-objects.ts";
import type { AccessEvent, ObjectEvent, VaultEvent } from "../../domain/vault-events/vault-event.ts";
import { versionCacheKey } from "../vault/object-version-cache.ts";
import { type Hints, REFUSED_OBJECTS, type Waiter } from "./hints.ts";
import type { NamedObjects } from "./named-objects.ts";
import type { MessageOutcome } from "./push-metrics.ts";

export interface DispatchOptions {
  readonly named: NamedObjects;
  readonly hints: Pick<Hints, "add">;
  readonly classOf: (ref: ReturnType<typeof refOfKey>) => HeldClass | undefined;
  /** Whether anything is fetched for the class at the moment: for others nobody would come to look. */
  readonly isFetched: (spc: SecretProviderClass) => boolean;
  readonly cloud: CloudOptions;
  /** The classes of other shards are not among ours. */
  readonly hasOtherShards: boolean;
  /** How many objects the vault has refused the class (`namespace/name`) for want of a right. */
  readonly refusedObjects: (classKey: string) => number | "all";
}

/** Tells each class that an event is about. The waiter is told as often as `waits` says. */
export interface Dispatched {
  readonly outcome: MessageOutcome;
  readonly waits: number;
}

export function dispatchEvent(options: DispatchOptions, event: VaultEvent, waiter: Waiter): Dispatched {
  return event.kind === "access" ? dispatchAccess(options, event, waiter) : dispatchObject(options, event, waiter);
}

/** What was refused may be had now: classes that were refused something look at that, each once for whatever it is. */
function dispatchAccess(options: DispatchOptions, { vaultName, time }: AccessEvent, waiter: Waiter): Dispatched {
  const keys = options.named.classesOf(vaultName);
  let waits = 0;
  for (const key of keys) {
    const refused = options.refusedObjects(key);
    if (refused === 0) continue;
    const spc = options.classOf(refOfKey(key));
    if (spc?.spec === undefined || !options.isFetched(spc)) continue;
    const objects = refused === "all" ? entriesRead(spc.spec) : refused;
    const news = { object: REFUSED_OBJECTS, change: "AccessChanged", objects, version: undefined, happenedAt: time } as const;
    if (options.hints.add(key, news, waiter)) waits += 1;
  }
  return { outcome: keys.length === 0 ? outcomeWithoutClass(options) : "access", waits };
}

/** One where the class was not read yet. */
function entriesRead(spec: Parameters<typeof readEntriesOf>[0]): number {
  const read = readEntriesOf(spec);
  return read?.ok === true ? read.value.length : 1;
}

/** Each shard receives all events, and does not know of whose vaults the others' classes are. */
function outcomeWithoutClass({ hasOtherShards }: DispatchOptions): MessageOutcome {
  return hasOtherShards ? "otherShard" : "foreign";
}

function dispatchObject(options: DispatchOptions, event: ObjectEvent, waiter: Waiter): Dispatched {
  const [vault = ""] = event.vaultHost.split(".");
  const named = options.named.classesNaming(vault, event.name).flatMap((key) => {
    const spc = options.classOf(refOfKey(key));
    return spc !== undefined && options.isFetched(spc) && isOfVault(options, spc, event) ? [{ key, spc }] : [];
  });
  if (named.length === 0)
    return { outcome: options.named.classesOf(vault).length === 0 ? outcomeWithoutClass(options) : "unnamed", waits: 0 };
  let told = 0;
  let waits = 0;
  for (const { key, spc } of named) {
    for (const type of typesNamed(spc, event)) {
      told += 1;
      const { change, version, time } = event;
      const object = versionCacheKey({ type, name: event.name, version: undefined });
      const news = { object, change, objects: 1, version, happenedAt: time };
      if (options.hints.add(key, news, waiter)) waits += 1;
    }
  }
  return { outcome: told === 0 ? "unnamed" : waits === 0 ? "duplicate" : "acted", waits };
}

/** Names of vaults are unique within one cloud only. */
function isOfVault({ cloud }: DispatchOptions, { spec }: SecretProviderClass, { vaultHost }: ObjectEvent): boolean {
  const read = readParameters(spec?.parameters ?? {}, cloud);
  return read.ok && `${read.value.vaultName}.${read.value.cloud.vaultSuffix}`.toLowerCase() === vaultHost;
}

/** Of the types that the event is about, those that the class names. All of them where the class was not read yet, which may take long. */
function typesNamed(spc: SecretProviderClass, event: ObjectEvent): readonly ObjectType[] {
  const named = new Set([...typesWritten(spc, event), ...typesSelected(spc, event)]);
  return event.types.filter((type) => named.has(type));
}

/** By their names; what tags it has the event does not say. All of them where the class was not read yet. */
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
  // Only what the event is about is made into objects: a class may name thousands, and thousands of classes the object.
  const named = narrowObjects(
    read.value.filter(({ objectName }) => objectName.length === name.length && objectName.toLowerCase() === name),
  );
  // What is wrong with the class it has said itself.
  if (!named.ok) return [];
  const changing = new Set(named.value.filter((object) => object.version === undefined || hasHistory(object)).map(({ type }) => type));
  return types.filter((type) => changing.has(type));
}
