/** Faults of the threads that decode values. */
import type { ThreadFate } from "../machines/worker-thread.ts";
import type { Random } from "../time/random.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

function badly(name: string, fate: (random: Random) => ThreadFate | undefined): FaultKind {
  return {
    name,
    longestMs: 15 * MINUTE,
    begin: ({ threads }, random) => {
      const share = random.between(0.2, 1);
      const ill = (): ThreadFate | undefined => (random.chance(share) ? fate(random) : undefined);
      threads.ills.add(ill);
      return () => void threads.ills.delete(ill);
    },
  };
}

export const threadFaults: readonly FaultKind[] = [
  badly("threads: slow", (random) => ({ kind: "answers", after: random.delay(2_000) })),
  badly("threads: a task never ends", () => ({ kind: "hangs" })),
  badly("threads: out of memory", (random) => ({ kind: "outOfMemory", after: random.delay(50) })),
  {
    name: "threads: the system gives none",
    longestMs: 10 * MINUTE,
    begin: ({ threads }) => {
      threads.isRefused = true;
      return () => {
        threads.isRefused = false;
      };
    },
  },
];
