import { VERIFIED } from "./peer.ts";

/** Distributes the event loop's time, one job at a time. */
export interface FairTurns {
  /** Calls the job when it is its peer's turn. Everything that the job does before it waits for something belongs to the turn. */
  run(peer: string, job: () => void): void;
  /** Resolves when it is the peer's turn. */
  take(peer: string): Promise<void>;
  /**
   * The same for work that no client waits for. It comes after the peer's other jobs, and has a share of its own, which does not reduce
   * theirs.
   */
  takeBehind(peer: string): Promise<void>;
}

/** Milliseconds of the event loop's time in one round. The sockets of a flooded server cost as much in each round. */
const ROUND_MS = 10;
/** Maximum number of cheap jobs. A single job may take longer than the round has. */
const MOST_IN_ROUND = 8;
/** Work that can wait starts behind this much time of the other work (milliseconds): a few hundred reviews of pods. */
const HEAD_START_MS = 200;
/**
 * Each millisecond of work that can wait counts as this many. Next to the jobs of one peer, it has a fifth of the time, so that it also
 * comes to an end.
 */
const WEIGHT_BEHIND = 4;

/**
 * Runs few jobs in each round of the event loop, so that any request of one peer costs the others a few milliseconds, or the time of one
 * job if that is longer. The next job is that of the peer with the least time since jobs began to wait: a hundred cheap jobs of one peer go
 * before the second expensive job of another. The jobs of one peer run in order, so that none waits forever behind later ones. Work that
 * can wait is behind all work that cannot, but not forever. Without contention every job runs at once. `now` returns milliseconds; tests
 * that depend on time pass another.
 */
export function createFairTurns(now: () => number = () => performance.now()): FairTurns {
  const waiting = new Map<string, (() => void)[]>();
  const spent = new Map<string, number>();
  /** Keys in `waiting` of the work that can wait. */
  const behind = new Set<string>();
  let isRunning = false;
  /** Time of the last peer that was served. A new peer starts there, and not with time that it did not use before. */
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

  /** Schedules both callbacks in one phase of the event loop. Between them are the job and its immediate consequences. */
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
