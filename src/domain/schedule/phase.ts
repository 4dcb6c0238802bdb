import { textNumber } from "../text-number.ts";

/**
 * Determines when a class is polled next. Each class has its own phase in the interval, derived from its name. So polls are spread from the
 * first minute on, and a restart neither loses the schedule nor causes a burst of polls.
 */
export interface PhaseInput {
  /** Uid of the cluster (of its kube-system namespace), so that two clusters with the same classes poll at different times. */
  readonly cluster: string;
  /** `namespace/name` of the class. */
  readonly key: string;
  /** Milliseconds. */
  readonly interval: number;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Returns the milliseconds from now to the next poll: more than 0, at most the interval. */
export function untilNextPoll({ cluster, key, interval, now }: PhaseInput): number {
  const phase = fraction(`${cluster}/${key}`) * interval;
  const sincePhase = (((now - phase) % interval) + interval) % interval;
  return Math.max(1, Math.ceil(interval - sincePhase));
}

/** The clocks of a cluster's machines differ by less; otherwise tokens fail long before (milliseconds). */
export const CLOCKS_DIFFER_MS = 10_000;

/**
 * Time up to which the previous leader has made all polls, in Unix milliseconds by its clock. `unknown`: its record is not credible, or
 * names polls of the class that were not made. Undefined: it left no record, like versions before 0.4.0.
 */
export type PolledUntil = number | "unknown" | undefined;

export interface PollsBefore extends PhaseInput {
  /** Time of the last successful check, as stored; undefined if none is known. */
  readonly checked: number | undefined;
  readonly polledUntil: PolledUntil;
}

/**
 * Returns the Unix milliseconds of the first poll by a new leader: the one after the last poll that earlier leaders are known to have made.
 * It is in the past if it was due while there was no leader, and now if no earlier poll is known.
 */
export function firstPoll({ checked, polledUntil, ...phase }: PollsBefore): number {
  const known = [checked, typeof polledUntil === "number" ? polledUntil - CLOCKS_DIFFER_MS : undefined];
  const next = known.flatMap((moment) => (moment === undefined ? [] : [moment + untilNextPoll({ ...phase, now: moment })]));
  return next.length === 0 ? phase.now : Math.max(...next);
}

/**
 * Returns the Unix milliseconds of the last poll by earlier leaders; undefined if unknown. A leader that left no record, like versions
 * before 0.4.0, is assumed to have made all polls up to now.
 */
export function lastPollBefore({ polledUntil, ...phase }: PollsBefore): number | undefined {
  if (polledUntil === "unknown") return undefined;
  const until = polledUntil === undefined ? phase.now : polledUntil - CLOCKS_DIFFER_MS;
  return until + untilNextPoll({ ...phase, now: until }) - phase.interval;
}

/** In [0, 1). */
function fraction(text: string): number {
  return textNumber(text) / 2 ** 32;
}
