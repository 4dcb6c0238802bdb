/** Faults of pods that do not become ready. */
import type { PodIll } from "../world/workloads.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

function podsOf(name: string, ill: PodIll): FaultKind {
  return {
    name,
    longestMs: 25 * MINUTE,
    begin: ({ workloads, teams }, random) => {
      const { namespace } = random.pick(teams);
      workloads.ills.set(namespace, ill);
      return () => void workloads.ills.delete(namespace);
    },
  };
}

export const workloadFaults: readonly FaultKind[] = [
  podsOf("pods of a namespace do not become ready", "never ready"),
  podsOf("pods of a namespace crash", "crashing"),
];
