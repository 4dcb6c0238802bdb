/** The decoding threads of all replicas: the time of each task, and the current problems. */
import { type ThreadFate, useThreads } from "../machines/worker-thread.ts";
import type { Random } from "../time/random.ts";

/** Average duration of an ordinary task in milliseconds. */
const USUAL_MS = 5;

export interface Threads {
  /** Current problems. The first that returns a fate for a task decides. */
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
