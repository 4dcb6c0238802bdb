/** What is measured of one contestant, and figures of it. Pure. */

/** One new version; Unix milliseconds, by the clock of the one machine that all processes run on. */
export interface Rotation {
  /** The vault had the version. */
  readonly madeAt: number;
  /** The queue had said that it holds the message; undefined without push. */
  readonly queuedAt: number | undefined;
  /** A watch saw the Secret with the new value; undefined where that did not happen while it was watched. */
  readonly writtenAt: number | undefined;
  /** When the contestant was to ask next by what it said itself; undefined where it says nothing of it. */
  readonly dueAt: number | undefined;
  /** Requests for this object that its vault answered from the version to the Secret, or as long as it was watched. */
  readonly gets: number;
}

export interface Measured {
  readonly contestant: string;
  readonly secrets: number;
  readonly rotations: readonly Rotation[];
  /** Milliseconds that each rotation was watched at least. */
  readonly watchedMs: number;
  readonly vault: Requests;
  /** Of the storage account: undefined without push. */
  readonly queue: Requests | undefined;
  readonly cpu: Cpu;
  /** Something that a reader of the figures has to know. */
  readonly notes: readonly string[];
}

export interface Cpu {
  /** Milliseconds of the contestant's process a minute. */
  readonly atRest: number;
  readonly whileRotating: number;
  /** Cores that processes which are none of the benchmark's used meanwhile. */
  readonly othersCores: number;
}

export interface Requests {
  readonly atRestPerMinute: number;
  /** Of a vault those that name a rotated object; of a queue those beyond as many as come at rest in that time. */
  readonly perRotation: number;
}

/** The shares that are printed: median, the slowest hundredth, the last. */
export const SHARES = { p50: 0.5, p99: 0.99, max: 1 } as const;
export type Share = keyof typeof SHARES;

/** Milliseconds. */
export type Quantiles = Readonly<Record<Share, number | undefined>>;

/**
 * Of waits of which some had not ended: a quantile that lies among those, or beyond what every one was watched for, is undefined.
 * `of`: how many there are altogether.
 */
export function quantiles(ended: readonly number[], { of, watchedMs }: { readonly of: number; readonly watchedMs: number }): Quantiles {
  const sorted = ended.toSorted((a, b) => a - b);
  const at = (share: number): number | undefined => {
    const found = sorted[Math.min(of - 1, Math.floor(of * share))];
    return found === undefined || (sorted.length < of && found > watchedMs) ? undefined : found;
  };
  return { p50: at(SHARES.p50), p99: at(SHARES.p99), max: at(SHARES.max) };
}

/** From one moment of each rotation to another, where both are known. */
export function waits(rotations: readonly Rotation[], from: (rotation: Rotation) => number | undefined): readonly number[] {
  return rotations.flatMap((rotation) => {
    const began = from(rotation);
    return began === undefined || rotation.writtenAt === undefined ? [] : [rotation.writtenAt - began];
  });
}

/** From the version to the Secret. */
export function waitsFromVersion({ rotations, watchedMs }: Pick<Measured, "rotations" | "watchedMs">): Quantiles {
  return quantiles(
    waits(rotations, ({ madeAt }) => madeAt),
    { of: rotations.length, watchedMs },
  );
}

export interface Derived {
  readonly waits: Quantiles;
  /** Rotations that did not arrive, for which the time that was said is taken. */
  readonly derived: number;
  /** How much later than that time those arrived that did: median, added to each that is derived. Milliseconds. */
  readonly lateMs: number;
}

/** What becomes of rotations that were not watched to their end, by when the contestant was to ask. Nobody has measured it. */
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
