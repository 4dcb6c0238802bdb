import { CLOCKS_MS } from "./mounted-versions.ts";
import { hasStamp, isStamped } from "./stamp.ts";
import type { KnownVersions } from "./versions.ts";
import type { Workload } from "./workload.ts";

/** Criteria for the pods of a workload that have old versions. */
export interface OldBefore {
  /** Pods created until then have old versions (Unix milliseconds). */
  readonly since: number;
  /** Pods that mounted a class before its versions came have old versions, too. For mounts, only this counts, not the creation time. */
  readonly byMount?: true;
}

/**
 * Returns the criteria. If the worker sees the workload for the first time, it does not know whether its pods had other versions. Pods that
 * waited for a new Secret have its first versions, and for mounted objects only the driver's record of the mount is evidence.
 * `mirroredStamp`: stamp of the versions in Secrets alone, if the workload also mounts others.
 */
export function oldBefore(workload: Workload, versions: KnownVersions, mirroredStamp: string | undefined): OldBefore {
  const { since, rotated, mounted = [] } = versions;
  const byMount = mounted.length === 0 ? {} : { byMount: true as const };
  if (!isStamped(workload)) return { since: rotated, ...byMount };
  // Stamped before the worker knew of the mounted objects, or before the workload's class was one that is only mounted.
  if (mirroredStamp !== undefined && hasStamp(workload, mirroredStamp)) return { since: 0, ...byMount };
  return { since: mounted.reduce((latest, each) => Math.max(latest, each.since === 0 ? 0 : each.since + CLOCKS_MS), since) };
}
