import { keyOf, refOfKey } from "../domain/object-key.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { OperatorLimits } from "../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../domain/provider-class/parameters.ts";
import type { Shard } from "../domain/shards.ts";
import { secretObjectsOf } from "../domain/sync/named-secrets.ts";
import type { ClassStatus } from "../domain/sync/status-fields.ts";
import { WeakCache } from "../domain/weak-cache.ts";
import type { ClassStates } from "./classes/class-states.ts";
import type { HeldClasses } from "./classes/held-classes.ts";
import type { LostClasses } from "./classes/lost-classes.ts";
import { isMirrored, type Mirroring } from "./classes/observe.ts";
import type { StatusStore } from "./classes/status-store.ts";
import type { CrdHealth } from "./healing/crd-health.ts";
import type { PushedClasses } from "./push/push.ts";

interface Options extends Pick<Mirroring, "settings"> {
  readonly limits: Pick<OperatorLimits, "cloudName">;
  readonly shard: Pick<Shard, "count">;
  readonly readCloudFile: ReadCloudFile | undefined;
}

interface Live {
  readonly classes: Pick<HeldClasses, "get" | "hasSynced">;
  readonly lost: Pick<LostClasses, "list">;
  readonly statuses: Pick<StatusStore, "get">;
  readonly crdHealth: Pick<CrdHealth, "state">;
  readonly states: Pick<ClassStates, "note">;
  readonly pods: Pick<Mirroring, "consumers">;
  readonly clock: Pick<Clock, "now">;
  /** Whether workloads need the versions of the class (`namespace/name`); undefined if this is not known yet. */
  readonly isFollowed: (classKey: string) => boolean | undefined;
}

/** Returns the facts about the worker's classes that the handling of vault events needs. */
export function pushedClasses(
  { settings, limits, readCloudFile, shard }: Options,
  { classes, lost, statuses, crdHealth, states, pods, clock, isFollowed }: Live,
): PushedClasses {
  return {
    isReady: () => crdHealth.state.kind === "whole" && classes.hasSynced,
    classes: { get: (ref) => classes.get(ref), lost: () => lost.list() },
    isFetched: (spc) =>
      isMirrored({ settings, consumers: pods.consumers }, spc) && (secretObjectsOf(spc).length > 0 || isFollowed(keyOf(spc)) !== false),
    noteUnfetched: (classKey) => void states.note(classKey, { kind: "objectChanged", eventAt: clock.now() }),
    hasOtherShards: shard.count > 1,
    refusedObjects: (classKey) => refusedBy(statuses.get(refOfKey(classKey))),
    cloud: { cloudName: limits.cloudName, readCloudFile },
  };
}

/**
 * Results by status, which is another object after each change. An event about the permissions of a vault requires the results for all
 * classes of the vault.
 */
const refusals = new WeakCache<ClassStatus, number | "all">();

/** Returns the number of objects that the vault rejected because of a missing permission, according to the status. */
function refusedBy(status: ClassStatus | undefined): number | "all" {
  return status === undefined ? 0 : refusals.getOrCreate(status, () => countRefused(status));
}

function countRefused({ conditions, secrets, objects = [] }: ClassStatus): number | "all" {
  const all = [...secrets.flatMap(({ data }) => data), ...objects];
  const refused = new Set(all.flatMap(({ object, state }) => (state === "Forbidden" ? [object] : [])));
  if (refused.size > 0) return refused.size;
  return conditions.some(({ reason }) => reason === "Forbidden") || secrets.some(({ state }) => state === "Forbidden") ? "all" : 0;
}
