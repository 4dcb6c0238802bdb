/** The decoding threads of all replicas: how long a task takes, and what goes wrong with them at the moment. */
import { type ThreadFate, useThreads } from "../machines/worker-thread.ts";
import type { Random } from "../time/random.ts";

/** Milliseconds that an ordinary task takes, median. */
const USUAL_MS = 5;

export interface Threads {
  /** The first that says something of a task decides. */
  readonly ills: Set<() => ThreadFate | undefined>;
  isRefused: boolean;
  onTrouble(listener: () => void): void;
}

export function startThreads(random: Random): Threads {
  const listeners: (() => void)[] = [];
  const threads: Threads = { ills: new Set(), isRefused: false, onTrouble: (listener) => void listeners.push(listener) };
  useThreads({
    maySpawn: () => !threads.isRefused,
    fate: () => {
      for (const ill of threads.ills) {
        const fate = ill();
        if (fate !== undefined) return fate;
      }
      return { kind: "answers", after: random.delay(USUAL_MS) };
    },
    onTrouble: () => {
      for (const listen of listeners) listen();
    },
  });
  return threads;
}
