import { hasHistory } from "../../domain/content/version-history.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import type { ClassObject, ObjectType } from "../../domain/provider-class/object-rules.ts";
import { type CloudOptions, readParameters } from "../../domain/provider-class/parameters.ts";
import { hasReadEntries, openProviderClass } from "../../domain/provider-class/parse.ts";
import type { AccessEvent, ObjectEvent, VaultEvent } from "../../domain/vault-events/vault-event.ts";
import { versionCacheKey } from "../vault/object-version-cache.ts";
import type { Hints, Waiter } from "./hints.ts";
import type { NamedObjects } from "./named-objects.ts";
import type { MessageOutcome } from "./push-metrics.ts";

export interface DispatchOptions {
  readonly named: NamedObjects;
  readonly hints: Pick<Hints, "add">;
  readonly classOf: (ref: ReturnType<typeof refOfKey>) => HeldClass | undefined;
  /** Whether the class writes its Secrets at the moment. */
  readonly isMirrored: (spc: SecretProviderClass) => boolean;
  readonly cloud: CloudOptions;
  /** Whether the vault has refused the class (`namespace/name`) anything for want of a right. */
  readonly isRefused: (classKey: string) => boolean;
}

/** Tells each class that an event is about. The waiter is told as often as `waits` says. */
export interface Dispatched {
  readonly outcome: MessageOutcome;
  readonly waits: number;
}

export function dispatchEvent(options: DispatchOptions, event: VaultEvent, waiter: Waiter): Dispatched {
  return event.kind === "access" ? dispatchAccess(options, event, waiter) : dispatchObject(options, event, waiter);
}

/** What was refused may be had now: classes that were refused something look at all that they name. */
function dispatchAccess(options: DispatchOptions, { vaultName, time }: AccessEvent, waiter: Waiter): Dispatched {
  const keys = options.named.classesOf(vaultName);
  let waits = 0;
  for (const key of keys.filter((one) => options.isRefused(one))) {
    const spc = options.classOf(refOfKey(key));
    if (spc === undefined || !options.isMirrored(spc)) continue;
    for (const object of currentObjects(options, spc) ?? []) {
      const news = { object: versionCacheKey({ ...object, version: undefined }), version: undefined, happenedAt: time };
      if (options.hints.add(key, { ...news, change: "AccessChanged" }, waiter)) waits += 1;
    }
  }
  return { outcome: keys.length === 0 ? "foreign" : "access", waits };
}

function dispatchObject(options: DispatchOptions, event: ObjectEvent, waiter: Waiter): Dispatched {
  const [vault = ""] = event.vaultHost.split(".");
  const named = options.named.classesNaming(vault, event.name).flatMap((key) => {
    const spc = options.classOf(refOfKey(key));
    return spc !== undefined && options.isMirrored(spc) && isOfVault(options, spc, event) ? [{ key, spc }] : [];
  });
  if (named.length === 0) return { outcome: options.named.classesOf(vault).length === 0 ? "foreign" : "unnamed", waits: 0 };
  let told = 0;
  let waits = 0;
  for (const { key, spc } of named) {
    for (const type of typesNamed(options, spc, event)) {
      told += 1;
      const { change, version, time } = event;
      const news = { object: versionCacheKey({ type, name: event.name, version: undefined }), change, version, happenedAt: time };
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
function typesNamed(options: DispatchOptions, spc: SecretProviderClass, event: ObjectEvent): readonly ObjectType[] {
  const objects = currentObjects(options, spc);
  if (objects === undefined) return event.types;
  return event.types.filter((type) => objects.some((object) => object.type === type && object.name.toLowerCase() === event.name));
}

/** Objects that a new version changes. Undefined where the class was not read yet; what is wrong with one it has said itself. */
function currentObjects({ cloud }: DispatchOptions, { spec, metadata }: SecretProviderClass): readonly ClassObject[] | undefined {
  if (spec === undefined || !hasReadEntries(spec)) return undefined;
  const opened = openProviderClass(spec, { owner: metadata.name, ...cloud });
  const read = opened.kind === "opened" ? opened.readObjects() : undefined;
  return read?.ok === true ? read.value.objects.filter((object) => object.version === undefined || hasHistory(object)) : [];
}
