/** Compares two builds figure by figure, over rounds that alternate between them. A third entrant is the new build again. */
import { median } from "./webhook/load.ts";

/** Measurements of one entrant in one round, by the figure's name. For all of them, less is better. */
export type Sample = Readonly<Record<string, number>>;

export interface Round {
  readonly now: Sample;
  /** The new build again: shows how much two processes of one build differ. */
  readonly again: Sample;
  readonly before: Sample;
}

export interface Compared {
  readonly figure: string;
  /** Medians over the rounds. */
  readonly now: number;
  readonly before: number;
  /** Median of now / before within a round, with the 95 % interval of that median. */
  readonly ratio: number;
  readonly interval: Interval;
  /** The same interval for the build compared with itself. */
  readonly itself: Interval;
  readonly isWorse: boolean;
}

export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Additional cost that a change may have, beyond the difference of a build from itself. */
const ALLOWED = 0.05;

/** Such small figures are counts that vary by one: a difference of one has no meaning. */
const ONE = 1;

export function compare(rounds: readonly Round[]): readonly Compared[] {
  const [first] = rounds;
  if (first === undefined) return [];
  return Object.keys(first.now).map((figure) => compareFigure(figure, rounds));
}

function compareFigure(figure: string, rounds: readonly Round[]): Compared {
  const values = (read: (round: Round) => Sample): readonly number[] => rounds.map((round) => read(round)[figure] ?? Number.NaN);
  const [now, again, before] = [values((round) => round.now), values((round) => round.again), values((round) => round.before)];
  const ratios = now.map((value, index) => ratioOf(value, before[index] ?? Number.NaN));
  const interval = intervalOfMedian(ratios);
  const itself = intervalOfMedian(now.map((value, index) => ratioOf(value, again[index] ?? Number.NaN)));
  const spread = Math.max(1 - itself.from, itself.to - 1, 0);
  const ratio = median(ratios);
  const [medianNow, medianBefore] = [median(now), median(before)];
  const isWorse = !(ratio <= 1 + ALLOWED + spread) && !(medianNow - medianBefore <= ONE && Number.isInteger(medianNow));
  return { figure, now: medianNow, before: medianBefore, ratio, interval, itself, isWorse };
}

function ratioOf(one: number, other: number): number {
  return one === other ? 1 : one / other;
}

const RESAMPLES = 2_000;

/** Returns the interval by bootstrap, with the same random numbers in each run. */
function intervalOfMedian(values: readonly number[]): Interval {
  const random = seeded(values.length);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  ).sort((one, other) => one - other);
  return { from: medians[Math.floor(RESAMPLES * 0.025)] ?? Number.NaN, to: medians[Math.floor(RESAMPLES * 0.975)] ?? Number.NaN };
}

/** Returns a linear congruential generator with values in [0, 1). The values need not be good, only the same in each run. */
function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Returns a table, and one line with the verdict. */
export function describeComparison(compared: readonly Compared[], names: { readonly before: string; readonly rounds: number }): string {
  const head = ["", "now", names.before, "now / before", "95 %", "itself 95 %"];
  const rows = compared.map(({ figure, now, before, ratio, interval, itself, isWorse }) => [
    figure,
    shown(now),
    shown(before),
    `${ratio.toFixed(3)}x`,
    intervalText(interval),
    intervalText(itself),
    isWorse ? "WORSE" : "",
  ]);
  const worse = compared.filter(({ isWorse }) => isWorse).map(({ figure }) => figure);
  const verdict =
    worse.length === 0
      ? `against ${names.before}: ${compared.length} figures in ${names.rounds} rounds, nothing worse by more than 5 % beyond the build's own spread`
      : `against ${names.before}: worse by more than 5 % beyond the build's own spread: ${worse.join(", ")}`;
  return (
    [head, ...rows].map(([title = "", ...cells]) => title.padEnd(30) + cells.map((cell) => cell.padStart(15)).join("")).join("\n") +
    `\n\n${verdict}`
  );
}

function shown(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}

function intervalText({ from, to }: Interval): string {
  return `${from.toFixed(2)}-${to.toFixed(2)}`;
}
