import { CLOCKS_MS } from "./mounted-versions.ts";
import { hasStamp, isStamped } from "./stamp.ts";
import type { KnownVersions } from "./versions.ts";
import type { Workload } from "./workload.ts";

/** Which pods of a workload have old versions. */
export interface OldBefore {
  /** Unix milliseconds: pods that were made until then. */
  readonly since: number;
  /** Also those that have mounted a class before its versions came, and no others on account of what they mount. */
  readonly byMount?: true;
}

/**
 * Seen for the first time, its pods are not known to have had other versions: those that waited for a new Secret have the first, and of what
 * they mount only the driver's record of the mount tells. `mirroredStamp`: of the versions in Secrets alone, where others are mounted.
 */
export function oldBefore(workload: Workload, versions: KnownVersions, mirroredStamp: string | undefined): OldBefore {
  const { since, rotated, mounted = [] } = versions;
  const byMount = mounted.length === 0 ? {} : { byMount: true as const };
  if (!isStamped(workload)) return { since: rotated, ...byMount };
  // Stamped before the worker knew of what it mounts, or before its class was one of them.
  if (mirroredStamp !== undefined && hasStamp(workload, mirroredStamp)) return { since: 0, ...byMount };
  return { since: mounted.reduce((latest, each) => Math.max(latest, each.since === 0 ? 0 : each.since + CLOCKS_MS), since) };
}
