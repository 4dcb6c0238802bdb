import { currentVersionOf, type Sighting } from "./current-version.ts";
import type { CurrentVersion, UnconfirmedVersion } from "./usage.ts";

/** The newest versions of an object. Users of one namespace can make up sightings there, so they do not count in other namespaces. */
export interface NewestVersions {
  /** The newest version according to all namespaces. If they differ, the newest confirmed one. */
  readonly current: CurrentVersion | undefined;
  readonly unconfirmed: readonly UnconfirmedVersion[];
  /** Returns the newest version for users of the object in that namespace. */
  readonly within: (namespace: string) => CurrentVersion | undefined;
}

/** Sightings that users of a namespace cannot make up: only the worker or the driver may write what shows them. */
export interface ConfirmedSightings {
  readonly byWorker: readonly Sighting[];
  readonly byDriver: readonly Sighting[];
}

/** `sightings`: all sightings by namespace, with an entry for each namespace whose classes name the object. */
export function newestVersions(sightings: ReadonlyMap<string, readonly Sighting[]>, confirmed: ConfirmedSightings): NewestVersions {
  const shared = sightings.size > 1 ? condensed(decisive(confirmed)) : [];
  const newest = new Map([...sightings].map(([namespace, own]) => [namespace, currentVersionOf([...own, ...shared])]));
  const known = [...newest].flatMap(([namespace, version]) => (version === undefined ? [] : [{ namespace, ...version }]));
  const current = agreed(known) ?? currentVersionOf(shared);
  const unconfirmed = known
    .filter(({ version }) => version !== current?.version)
    .map(({ namespace, version, seenAt }) => ({ namespace, version, seenAt }));
  return { current, unconfirmed, within: (namespace) => newest.get(namespace) };
}

/** The vault's own times, as the worker read them, count more than the times of writes. */
function decisive({ byWorker, byDriver }: ConfirmedSightings): readonly Sighting[] {
  const dated = byWorker.filter(({ updated }) => updated !== undefined);
  return dated.length > 0 ? dated : [...byWorker, ...byDriver];
}

/** Keeps the first and the last sighting of each version, because thousands of namespaces can have the same one. */
function condensed(sightings: readonly Sighting[]): readonly Sighting[] {
  return [...Map.groupBy(sightings, ({ version }) => version)].flatMap(([version, those]) => {
    const times = those.map(({ at }) => at);
    const dates = those.flatMap(({ updated }) => updated ?? []);
    const updated = dates.length === 0 ? undefined : Math.min(...dates);
    return [Math.min(...times), Math.max(...times)].map((at) => ({ version, at, updated }));
  });
}

function agreed(known: readonly CurrentVersion[]): CurrentVersion | undefined {
  const [first, ...others] = known.toSorted((a, b) => b.seenAt - a.seenAt);
  if (first === undefined || others.some(({ version }) => version !== first.version)) return undefined;
  return { version: first.version, seenAt: first.seenAt, updated: first.updated };
}
