import { conditionOf } from "./class-status.ts";
import type { ClassStatus, ReportedReason, SecretStatus } from "./status-fields.ts";

/** Returns reason and message of the class as a whole, from the states of its Secrets. */
export function summarize(secrets: readonly SecretStatus[]): ReportedReason {
  const problems = secrets.filter(({ state }) => state !== "Synced");
  const upToDate = `${secrets.length - problems.length} of ${secrets.length} Secrets are up to date`;
  const [first] = problems;
  if (first === undefined) return { reason: "Synced", message: upToDate };
  if (problems.length < secrets.length) return { reason: "PartialSync", message: `${upToDate}; ${first.name}: ${first.message ?? ""}` };
  return { reason: first.state, message: first.message ?? "" };
}

/** Message of a `while-used` class without a consumer. */
export const UNUSED_MESSAGE = "no pod mounts the class, so it has no Secrets; the worker creates them when a pod mounts it";

/**
 * Whether the status reports that the class waits for a pod. The status has no reason for it, because users should see a class that is
 * `Synced`. The message is the worker's own, and only this function compares it.
 */
export function isReportedUnused(status: ClassStatus | undefined): boolean {
  return conditionOf(status, "Synced")?.message === UNUSED_MESSAGE;
}
