import { VERIFIED } from "./peer.ts";

/** Hands out the event loop's time, one job at a time. */
export interface FairTurns {
  /** The job is called once it is its peer's turn: everything that it does before it waits for something belongs to the turn. */
  run(peer: string, job: () => void): void;
  /** Resolves when it is the peer's turn. */
  take(peer: string): Promise<void>;
}

/**
 * One job in each round of the event loop, so that whatever a peer sends costs the others one job's time at most. The next is of the
 * peer that has had the least time since jobs began to wait: a hundred cheap ones of one peer go before the second expensive one of
 * another. Of one peer the newest is first, because who has waited longest is the likeliest to have given up, and because an old flood
 * must not be in the way of what comes after it. Without contention every job runs at once.
 */
export function createFairTurns(): FairTurns {
  const waiting = new Map<string, (() => void)[]>();
  const spent = new Map<string, number>();
  let isRunning = false;
  /** The time of the last peer that was served: who comes anew starts there, and not with what it did not use before. */
  let reached = 0;

  const next = (): void => {
    let started = 0;
    let peer: string | undefined;
    // Both in one phase of the event loop: between them is what the job does, and what follows from it at once.
    setImmediate(() => {
      peer = choose();
      started = performance.now();
      if (peer !== undefined) takeFrom(peer)?.();
    });
    setImmediate(() => {
      if (peer !== undefined) spent.set(peer, reached + performance.now() - started);
      if (waiting.size > 0) {
        next();
        return;
      }
      isRunning = false;
      reached = 0;
      spent.clear();
    });
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
    const job = jobs?.pop();
    if (jobs?.length === 0) waiting.delete(peer);
    return job;
  };

  const run = (peer: string, job: () => void): void => {
    const jobs = waiting.get(peer) ?? [];
    jobs.push(job);
    waiting.set(peer, jobs);
    if (isRunning) return;
    isRunning = true;
    next();
  };
  return { run, take: (peer) => new Promise((resolve) => run(peer, resolve)) };
}
