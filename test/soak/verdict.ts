/** One sample of one process, or of the writes of all our processes. */
export interface Sample {
  /** Seconds since the storm began. Negative before it. */
  readonly at: number;
  readonly value: number;
}

export interface Series {
  /** Name in the report and the plot. */
  readonly name: string;
  readonly samples: readonly Sample[];
  /** Allowed growth from the middle third to the last one: a fraction, plus a number of units. */
  readonly allowance: { readonly part: number; readonly more: number };
}

export interface Flatness {
  readonly name: string;
  readonly middle: number;
  readonly last: number;
  readonly isFlat: boolean;
}

/** Compares the medians of the storm's second and last third. Endless growth shows between them, whereas a warm-up is over before. */
export function flatness({ name, samples, allowance }: Series, seconds: number): Flatness {
  const third = (from: number, to: number): number =>
    median(samples.filter(({ at }) => at >= (seconds * from) / 3 && at < (seconds * to) / 3).map(({ value }) => value));
  const [middle, last] = [third(1, 2), third(2, 3)];
  // Without samples, the comparison fails: flatness is not proven.
  return { name, middle, last, isFlat: last <= middle * (1 + allowance.part) + allowance.more };
}

/** Compares the value at rest before and after the storm, for resources that processes acquire and release with their work. */
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

/** Returns the reasons why a soak proves too little: less than one fault in ten seconds, or less than ten rotations per minute. */
export function thinness({ strikes, rotations, minutes }: Counts): readonly string[] {
  const [wantedStrikes, wantedRotations] = [Math.ceil(minutes * 6), Math.ceil(minutes * 10)];
  return [
    ...(strikes >= wantedStrikes ? [] : [`${strikes} strikes in ${minutes} min; at least ${wantedStrikes} are wanted`]),
    ...(rotations >= wantedRotations ? [] : [`${rotations} rotations in ${minutes} min; at least ${wantedRotations} are wanted`]),
  ];
}
