import { VERIFIED } from "./peer.ts";

/** Hands out the event loop's time, one job at a time. */
export interface FairTurns {
  /** The job is called once it is its peer's turn: everything that it does before it waits for something belongs to the turn. */
  run(peer: string, job: () => void): void;
  /** Resolves when it is the peer's turn. */
  take(peer: string): Promise<void>;
}

/** Of the event loop's time in one round, in milliseconds: what a round of sockets costs a flooded server anyway. */
const ROUND_MS = 10;
/** Cheap ones; a job of its own length may take longer than the round has. */
const MOST_IN_ROUND = 8;

/**
 * Few jobs in each round of the event loop, so that whatever a peer sends costs the others a few milliseconds, or one job's time where
 * that is longer. The next is of the peer that has had the least time since jobs began to wait: a hundred cheap ones of one peer go
 * before the second expensive one of another. Of one peer they come in their order, so that none waits for ever behind what comes after
 * it. Without contention every job runs at once.
 */
export function createFairTurns(): FairTurns {
  const waiting = new Map<string, (() => void)[]>();
  const spent = new Map<string, number>();
  let isRunning = false;
  /** The time of the last peer that was served: who comes anew starts there, and not with what it did not use before. */
  let reached = 0;

  const round = (): void => {
    const started = performance.now();
    const jobs = Math.min(MOST_IN_ROUND, waitingJobs());
    for (let count = 0; count < jobs; count++) scheduleOne(() => performance.now() - started <= ROUND_MS || count === 0);
    setImmediate(() => {
      if (waiting.size > 0) {
        round();
        return;
      }
      isRunning = false;
      reached = 0;
      spent.clear();
    });
  };

  /** Both in one phase of the event loop: between them is what the job does, and what follows from it at once. */
  const scheduleOne = (isTime: () => boolean): void => {
    let [peer, started]: [string | undefined, number] = [undefined, 0];
    setImmediate(() => {
      peer = isTime() ? choose() : undefined;
      started = performance.now();
      if (peer !== undefined) takeFrom(peer)?.();
    });
    setImmediate(() => {
      if (peer !== undefined) spent.set(peer, reached + performance.now() - started);
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
  return { run, take: (peer) => new Promise((resolve) => run(peer, resolve)) };
}
