import type { CurrentVersion } from "./usage.ts";

/** An observation: this version was the vault's current one at that time (Unix milliseconds). */
export interface Sighting {
  readonly version: string;
  readonly at: number;
  /** Update time in the vault, Unix milliseconds. */
  readonly updated: number | undefined;
}

/**
 * Returns the newest version. If the update times of two versions in the vault are known, they decide. Otherwise, the version that was seen
 * last is the newest: a fetch without a version returns the vault's current version. So the version that was fetched later is newer,
 * whatever the ids are. Times have whole seconds. Of two versions in the same second, the one that was not known before is newer. Undefined
 * if that does not decide either.
 */
export function currentVersionOf(sightings: readonly Sighting[]): CurrentVersion | undefined {
  const versions = [...Map.groupBy(sightings, ({ version }) => version)].map(([version, those]) => ({
    version,
    first: Math.min(...those.map(({ at }) => at)),
    seenAt: Math.max(...those.map(({ at }) => at)),
    updated: earliest(those.flatMap(({ updated }) => updated ?? [])),
  }));
  const inVault = Math.max(...versions.flatMap(({ updated }) => updated ?? []));
  // Excludes versions with an earlier update time in the vault. The vault has replaced them, however late they were seen.
  const open = versions.filter(({ updated = inVault }) => updated === inVault);
  const seenAt = Math.max(...open.map((each) => each.seenAt));
  const [newest, next] = open.filter((each) => each.seenAt === seenAt).sort((a, b) => b.first - a.first);
  if (newest === undefined || newest.first === next?.first) return undefined;
  return { version: newest.version, seenAt, updated: newest.updated };
}

/** Returns the earliest time. A change of its attributes does not make a version newer. */
function earliest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}
