/** Measurements of one contestant, and figures derived from them. Pure functions. */

/** One new version. All times are Unix milliseconds. All processes run on the same machine and use the same clock. */
export interface Rotation {
  /** Time at which the vault had the version. */
  readonly madeAt: number;
  /** Time at which the queue had accepted the message. Undefined without push. */
  readonly queuedAt: number | undefined;
  /** Time at which a watch showed the Secret with the new value. Undefined if that did not happen during the watch. */
  readonly writtenAt: number | undefined;
  /** Time of the contestant's next query, according to the contestant. Undefined if it does not report one. */
  readonly dueAt: number | undefined;
  /** Requests for this object that its vault answered between the version and the Secret, or until the end of the watch. */
  readonly gets: number;
}

export interface Measured {
  readonly contestant: string;
  readonly secrets: number;
  readonly rotations: readonly Rotation[];
  /** Minimum time in milliseconds for which each rotation was watched. */
  readonly watchedMs: number;
  readonly vault: Requests;
  /** Requests of the storage account. Undefined without push. */
  readonly queue: Requests | undefined;
  readonly cpu: Cpu;
  /** Remarks that a reader of the figures needs. */
  readonly notes: readonly string[];
}

export interface Cpu {
  /** CPU milliseconds of the contestant's process per minute. */
  readonly atRest: number;
  readonly whileRotating: number;
  /** Cores that processes outside the benchmark used meanwhile. */
  readonly othersCores: number;
}

export interface Requests {
  readonly atRestPerMinute: number;
  /** For a vault: requests that name a rotated object. For a queue: requests beyond the number at rest in the same time. */
  readonly perRotation: number;
}

/** The quantiles that the report prints: the median, the 99th percentile and the maximum. */
export const SHARES = { p50: 0.5, p99: 0.99, max: 1 } as const;
export type Share = keyof typeof SHARES;

/** In milliseconds. */
export type Quantiles = Readonly<Record<Share, number | undefined>>;

/**
 * Returns quantiles of waits of which some had not ended. Undefined for a quantile among those, or beyond the time for which every wait was
 * watched. `of` is the number of all waits.
 */
export function quantiles(ended: readonly number[], { of, watchedMs }: { readonly of: number; readonly watchedMs: number }): Quantiles {
  const sorted = ended.toSorted((a, b) => a - b);
  const at = (share: number): number | undefined => {
    const found = sorted[Math.min(of - 1, Math.floor(of * share))];
    return found === undefined || (sorted.length < of && found > watchedMs) ? undefined : found;
  };
  return { p50: at(SHARES.p50), p99: at(SHARES.p99), max: at(SHARES.max) };
}

/** Returns the time between two moments of each rotation, if both are known. */
export function waits(rotations: readonly Rotation[], from: (rotation: Rotation) => number | undefined): readonly number[] {
  return rotations.flatMap((rotation) => {
    const began = from(rotation);
    return began === undefined || rotation.writtenAt === undefined ? [] : [rotation.writtenAt - began];
  });
}

/** Returns the waits from the version to the Secret. */
export function waitsFromVersion({ rotations, watchedMs }: Pick<Measured, "rotations" | "watchedMs">): Quantiles {
  return quantiles(
    waits(rotations, ({ madeAt }) => madeAt),
    { of: rotations.length, watchedMs },
  );
}

export interface Derived {
  readonly waits: Quantiles;
  /** Number of rotations that did not arrive, for which the reported time counts instead. */
  readonly derived: number;
  /** Median delay in milliseconds of the rotations that did arrive, relative to their reported time. It is added to each derived one. */
  readonly lateMs: number;
}

/**
 * Estimates the rotations that were not watched to their end, from the time of the contestant's next query. These values are not measured.
 */
export function derive(rotations: readonly Rotation[]): Derived | undefined {
  const late = rotations
    .flatMap(({ writtenAt, dueAt }) => (writtenAt === undefined || dueAt === undefined ? [] : [writtenAt - dueAt]))
    .toSorted((a, b) => a - b);
  const lateMs = late[Math.floor(late.length / 2)];
  if (lateMs === undefined) return undefined;
  const all = rotations.flatMap(({ madeAt, writtenAt, dueAt }) => {
    if (writtenAt !== undefined) return [writtenAt - madeAt];
    return dueAt === undefined ? [] : [dueAt + lateMs - madeAt];
  });
  if (all.length < rotations.length) return undefined;
  const derived = rotations.filter(({ writtenAt }) => writtenAt === undefined).length;
  return { waits: quantiles(all, { of: all.length, watchedMs: Number.POSITIVE_INFINITY }), derived, lateMs };
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, each) => sum + each, 0) / values.length;
}
