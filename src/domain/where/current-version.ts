import type { CurrentVersion } from "./usage.ts";

/** Somebody had the vault's current version at that moment (Unix milliseconds), and it was this one. */
export interface Sighting {
  readonly version: string;
  readonly at: number;
  /** In the vault, Unix milliseconds. */
  readonly updated: number | undefined;
}

/**
 * The version that was seen last. Who fetches a version without naming one gets the vault's current version of that moment: of two that
 * were fetched, the one that came later is the newer one, whatever their ids are. Times have whole seconds: of two in the same second,
 * the one that was not known before is newer. Undefined where that does not tell either.
 */
export function currentVersionOf(sightings: readonly Sighting[]): CurrentVersion | undefined {
  const versions = [...Map.groupBy(sightings, ({ version }) => version)].map(([version, those]) => ({
    version,
    first: Math.min(...those.map(({ at }) => at)),
    seenAt: Math.max(...those.map(({ at }) => at)),
    updated: those.find(({ updated }) => updated !== undefined)?.updated,
  }));
  const seenAt = Math.max(...versions.map((each) => each.seenAt));
  const latest = versions.filter((each) => each.seenAt === seenAt).sort(newerFirst);
  const [newest, next] = latest;
  if (newest === undefined || (next !== undefined && newerFirst(newest, next) === 0)) return undefined;
  return { version: newest.version, seenAt, updated: newest.updated };
}

interface SeenVersion {
  readonly first: number;
  readonly updated: number | undefined;
}

function newerFirst(a: SeenVersion, b: SeenVersion): number {
  if (a.updated !== undefined && b.updated !== undefined && a.updated !== b.updated) return b.updated - a.updated;
  return b.first - a.first;
}
