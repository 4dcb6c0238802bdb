import { textNumber } from "../text-number.ts";

/**
 * When a class is looked at next. Each class has a phase of its own inside the interval, derived from its name, so that
 * polls are spread from the first minute on and a restart neither loses the schedule nor starts a herd.
 */
export interface PhaseInput {
  /** Uid of the cluster (of its kube-system namespace): two clusters with the same classes poll apart. */
  readonly cluster: string;
  /** `namespace/name` of the class. */
  readonly key: string;
  /** Milliseconds. */
  readonly interval: number;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Milliseconds from now to the next poll: more than 0, at most the interval. */
export function untilNextPoll({ cluster, key, interval, now }: PhaseInput): number {
  const phase = fraction(`${cluster}/${key}`) * interval;
  const sincePhase = (((now - phase) % interval) + interval) % interval;
  return Math.max(1, Math.ceil(interval - sincePhase));
}

/** Clocks of a cluster's machines differ by less, or tokens fail long before (milliseconds). */
export const CLOCKS_DIFFER_MS = 10_000;

/**
 * Up to when the leader before has made all polls, in Unix milliseconds by its clock. `unknown`: what it said can't be believed. Undefined: it
 * said nothing, as those before 0.4.0.
 */
export type PolledUntil = number | "unknown" | undefined;

export interface PollsBefore extends PhaseInput {
  /** Of the last check that succeeded, as it is stored; undefined: none is known. */
  readonly checked: number | undefined;
  readonly polledUntil: PolledUntil;
}

/**
 * Unix milliseconds of the first poll by a new leader: the one that follows what earlier leaders are known to have done. Where it fell due while
 * nobody led, it is due now.
 */
export function firstPoll({ checked, polledUntil, ...phase }: PollsBefore): number {
  const known = [checked, typeof polledUntil === "number" ? polledUntil - CLOCKS_DIFFER_MS : undefined];
  const next = known.flatMap((moment) => (moment === undefined ? [] : [moment + untilNextPoll({ ...phase, now: moment })]));
  return Math.max(phase.now, ...next);
}

/**
 * Unix milliseconds of the last poll that earlier leaders have made; undefined where nobody knows. A leader that said nothing of that, as those
 * before 0.4.0, is taken to have made all up to now.
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
