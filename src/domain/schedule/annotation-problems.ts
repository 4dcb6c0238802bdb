import type { SecretProviderClass } from "../kubernetes.ts";
import { maxStaleProblem } from "./max-stale.ts";
import { pollIntervalProblem } from "./poll-interval.ts";
import { syncModeProblem } from "./sync-mode.ts";

/** What the annotations of a class's author cannot mean; their defaults count. `interval`: as for {@link maxStaleProblem}. */
export function annotationProblems(provider: SecretProviderClass, interval: number | undefined): readonly string[] {
  const all = [syncModeProblem(provider), pollIntervalProblem(provider), maxStaleProblem(provider, interval)];
  return all.filter((problem) => problem !== undefined);
}
