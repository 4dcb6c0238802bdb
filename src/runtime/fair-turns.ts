import { VERIFIED } from "./peer.ts";

/** Hands out the event loop's time, one job at a time. */
export interface FairTurns {
  /** The job is called once it is its peer's turn: everything that it does before it waits for something belongs to the turn. */
  run(peer: string, job: () => void): void;
  /** Resolves when it is the peer's turn. */
  take(peer: string): Promise<void>;
  /** The same for what nobody waits for: behind the peer's other jobs, and in a share of its own, which its other jobs do not pay for. */
  takeBehind(peer: string): Promise<void>;
}

/** Of the event loop's time in one round, in milliseconds: what a round of sockets costs a flooded server anyway. */
const ROUND_MS = 10;
/** Cheap ones; a job of its own length may take longer than the round has. */
const MOST_IN_ROUND = 8;
/** What can wait begins behind so much time of the others (milliseconds): some hundred reviews of pods. */
const HEAD_START_MS = 200;
/** Of what can wait each millisecond counts as so many: beside the jobs of one peer it has a fifth of the time, so that it comes to an end, too. */
const WEIGHT_BEHIND = 4;

/**
 * Few jobs in each round of the event loop, so that whatever a peer sends costs the others a few milliseconds, or one job's time where
 * that is longer. The next is of the peer that has had the least time since jobs began to wait: a hundred cheap ones of one peer go
 * before the second expensive one of another. Of one peer they come in their order, so that none waits for ever behind what comes after
 * it. What can wait is behind all that cannot, but not for ever. Without contention every job runs at once.
 * `now`: milliseconds; tests of time pass another.
 */
export function createFairTurns(now: () => number = () => performance.now()): FairTurns {
  const waiting = new Map<string, (() => void)[]>();
  const spent = new Map<string, number>();
  /** Which of the lines are of what can wait. */
  const behind = new Set<string>();
  let isRunning = false;
  /** The time of the last peer that was served: who comes anew starts there, and not with what it did not use before. */
  let reached = 0;

  const round = (): void => {
    const started = now();
    const jobs = Math.min(MOST_IN_ROUND, waitingJobs());
    for (let count = 0; count < jobs; count++) scheduleOne(() => now() - started <= ROUND_MS || count === 0);
    setImmediate(() => {
      if (waiting.size > 0) {
        round();
        return;
      }
      isRunning = false;
      reached = 0;
      spent.clear();
      behind.clear();
    });
  };

  /** Both in one phase of the event loop: between them is what the job does, and what follows from it at once. */
  const scheduleOne = (isTime: () => boolean): void => {
    let [peer, started]: [string | undefined, number] = [undefined, 0];
    setImmediate(() => {
      peer = isTime() ? choose() : undefined;
      started = now();
      if (peer !== undefined) takeFrom(peer)?.();
    });
    setImmediate(() => {
      if (peer === undefined) return;
      const took = now() - started;
      spent.set(peer, reached + (behind.has(peer) ? WEIGHT_BEHIND * took : took));
    });
  };

  const waitingJobs = (): number => {
    let count = 0;
    for (const jobs of waiting.values()) count += jobs.length;
    return count;
  };

  const choose = (): string | undefined => {
    if (waiting.has(VERIFIED)) return VERIFIED;
    let [chosen, least]: [string | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
    for (const peer of waiting.keys()) {
      const time = Math.max(spent.get(peer) ?? 0, reached);
      if (time < least) [chosen, least] = [peer, time];
    }
    if (chosen !== undefined) reached = least;
    return chosen;
  };

  const takeFrom = (peer: string): (() => void) | undefined => {
    const jobs = waiting.get(peer);
    const job = jobs?.shift();
    if (jobs?.length === 0) waiting.delete(peer);
    return job;
  };

  const run = (peer: string, job: () => void): void => {
    const jobs = waiting.get(peer) ?? [];
    jobs.push(job);
    waiting.set(peer, jobs);
    if (isRunning) return;
    isRunning = true;
    round();
  };
  const runBehind = (peer: string, job: () => void): void => {
    const line = `${peer}, behind`;
    if (!behind.has(line)) spent.set(line, reached + HEAD_START_MS);
    behind.add(line);
    run(line, job);
  };
  return {
    run,
    take: (peer) => new Promise((resolve) => run(peer, resolve)),
    takeBehind: (peer) => new Promise((resolve) => runBehind(peer, resolve)),
  };
}
