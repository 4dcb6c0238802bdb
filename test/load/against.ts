/** Two builds compared figure by figure over rounds that alternate between them; a third entrant is the new build again. */
import { median } from "./webhook/load.ts";

/** What one entrant measured in one round, by the figure's name. Less is better in all of them. */
export type Sample = Readonly<Record<string, number>>;

export interface Round {
  readonly now: Sample;
  /** The same build once more: how far two processes of one build are apart. */
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
  /** The same interval of the build against itself. */
  readonly itself: Interval;
  readonly isWorse: boolean;
}

export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** What a change may cost beyond what a build differs from itself. */
const ALLOWED = 0.05;

/** Figures this small are counts that jitter by one: a difference of one is none. */
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

/** By bootstrap, with numbers that are the same in each run. */
function intervalOfMedian(values: readonly number[]): Interval {
  const random = seeded(values.length);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  ).sort((one, other) => one - other);
  return { from: medians[Math.floor(RESAMPLES * 0.025)] ?? Number.NaN, to: medians[Math.floor(RESAMPLES * 0.975)] ?? Number.NaN };
}

/** A linear congruential generator, in [0, 1): which values are drawn matters little, that they are the same does. */
function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A table, and one line of the verdict. */
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
