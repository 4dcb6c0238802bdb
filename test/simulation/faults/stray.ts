/** Faults by a worker that should not be there. */
import { type FaultKind, MINUTE } from "./fault.ts";

export const strayFaults: readonly FaultKind[] = [
  {
    name: "a worker of a second install is started",
    longestMs: 15 * MINUTE,
    begin: (world) => {
      const stray = world.startStray();
      return () => stray.retire();
    },
  },
];
