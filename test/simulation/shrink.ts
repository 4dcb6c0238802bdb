import { type Outcome, simulate } from "./simulation.ts";

export interface Shrunk {
  readonly outcome: Outcome;
  /** Steps of the plan that the failure needs. */
  readonly steps: readonly number[];
  readonly tries: number;
}

export interface ShrinkLimits {
  /** Maximum number of tries. */
  readonly most: number;
  /** Whether there is time for another try. */
  readonly isTime: () => boolean;
}

/** Extra time, because with fewer steps the failure can come a little later. */
const LATER_HOURS = 1.5;

/** Leaves out steps, half of them first, as long as the same invariant is still violated first. */
export async function shrink(failing: Outcome, { most, isTime }: ShrinkLimits): Promise<Shrunk> {
  const { seed, world, violations, steps } = failing;
  const wanted = violations[0]?.invariant;
  const hours = failing.hours + LATER_HOURS;
  let outcome = failing;
  let kept = Array.from({ length: steps }, (_, index) => index);
  let tries = 0;
  const mayTry = (): boolean => tries < most && isTime();
  for (let size = Math.ceil(kept.length / 2); size >= 1 && mayTry(); size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < kept.length && mayTry(); ) {
      const left = kept.toSpliced(start, size);
      tries += 1;
      const tried = await simulate({ seed, hours, world, only: new Set(left) });
      if (tried.violations[0]?.invariant === wanted) {
        kept = left;
        outcome = tried;
      } else start += size;
    }
  }
  return { outcome, steps: kept, tries };
}
