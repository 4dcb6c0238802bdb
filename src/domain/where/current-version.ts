import type { CurrentVersion } from "./usage.ts";

/** Somebody had the vault's current version at that moment (Unix milliseconds), and it was this one. */
export interface Sighting {
  readonly version: string;
  readonly at: number;
  /** In the vault, Unix milliseconds. */
  readonly updated: number | undefined;
}

/**
 * The newest version. Of two whose times in the vault are known, the vault decides. Else it is the one that was seen last: who fetches a
 * version without naming one gets the vault's current version of that moment, so that of two that were fetched, the one that came later is the
 * newer one, whatever their ids are. Times have whole seconds: of two in the same second, the one that was not known before is newer. Undefined
 * where that does not tell either.
 */
export function currentVersionOf(sightings: readonly Sighting[]): CurrentVersion | undefined {
  const versions = [...Map.groupBy(sightings, ({ version }) => version)].map(([version, those]) => ({
    version,
    first: Math.min(...those.map(({ at }) => at)),
    seenAt: Math.max(...those.map(({ at }) => at)),
    updated: earliest(those.flatMap(({ updated }) => updated ?? [])),
  }));
  const inVault = Math.max(...versions.flatMap(({ updated }) => updated ?? []));
  // However late somebody was seen with one, the vault had another one after it.
  const open = versions.filter(({ updated = inVault }) => updated === inVault);
  const seenAt = Math.max(...open.map((each) => each.seenAt));
  const [newest, next] = open.filter((each) => each.seenAt === seenAt).sort((a, b) => b.first - a.first);
  if (newest === undefined || newest.first === next?.first) return undefined;
  return { version: newest.version, seenAt, updated: newest.updated };
}

/** A change of its attributes makes a version no newer. */
function earliest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}
