/** One look at one process, or at what all of ours wrote. */
export interface Sample {
  /** Seconds since the storm began; negative before it. */
  readonly at: number;
  readonly value: number;
}

export interface Series {
  /** As the report and the plot have it. */
  readonly name: string;
  readonly samples: readonly Sample[];
  /** What may come on top of the middle third in the last one: a part of it, and some more of the unit. */
  readonly allowance: { readonly part: number; readonly more: number };
}

export interface Flatness {
  readonly name: string;
  readonly middle: number;
  readonly last: number;
  readonly isFlat: boolean;
}

/** The medians of the storm's second and last third: what grows without end grows between them, what only warms up has done so before. */
export function flatness({ name, samples, allowance }: Series, seconds: number): Flatness {
  const third = (from: number, to: number): number =>
    median(samples.filter(({ at }) => at >= (seconds * from) / 3 && at < (seconds * to) / 3).map(({ value }) => value));
  const [middle, last] = [third(1, 2), third(2, 3)];
  // Without samples nothing is known to be flat.
  return { name, middle, last, isFlat: last <= middle * (1 + allowance.part) + allowance.more };
}

/** What a process holds at rest before the storm and after it, of a thing that comes and goes with work. */
export function returned({ name, samples, allowance }: Series, seconds: number): Flatness {
  const before = median(samples.filter(({ at }) => at < 0).map(({ value }) => value));
  const after = median(samples.filter(({ at }) => at > seconds).map(({ value }) => value));
  return { name: `${name} at rest`, middle: before, last: after, isFlat: after <= before * (1 + allowance.part) + allowance.more };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export interface Counts {
  readonly strikes: number;
  readonly rotations: number;
  readonly minutes: number;
}

/** A soak with less than a fault in ten seconds, or less than ten rotations a minute, proves little. */
export function thinness({ strikes, rotations, minutes }: Counts): readonly string[] {
  const [wantedStrikes, wantedRotations] = [Math.ceil(minutes * 6), Math.ceil(minutes * 10)];
  return [
    ...(strikes >= wantedStrikes ? [] : [`${strikes} strikes in ${minutes} min; at least ${wantedStrikes} are wanted`]),
    ...(rotations >= wantedRotations ? [] : [`${rotations} rotations in ${minutes} min; at least ${wantedRotations} are wanted`]),
  ];
}
