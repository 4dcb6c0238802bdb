import type { CopyState, CopyStatus } from "../status-fields.ts";
import { shortText } from "../status-size.ts";

/** States of single copies. Any other state holds for a namespace as a whole. */
export type CopyOutcome = Exclude<CopyState, "NotGranted" | "NotServed" | "SwitchedOff">;

/** Result for one copy. */
export interface CopyResult {
  readonly namespace: string;
  readonly name: string;
  readonly state: CopyOutcome;
}

/** If the copies in a namespace differ, the namespace gets the most severe of their states. */
const SEVERITY: Readonly<Record<CopyOutcome, number>> = { Synced: 0, Waiting: 1, Contested: 2, Failed: 3, Conflict: 4, Terminating: 5 };

/** Most names that a status lists for a namespace. */
export const MOST_COPY_NAMES = 3;

export function copyStatusOf(namespace: string, results: readonly CopyResult[]): CopyStatus {
  const states = results.map(({ state }) => state);
  const state = states.reduce((worst, each) => (SEVERITY[each] > SEVERITY[worst] ? each : worst), "Synced");
  const names = results.filter((result) => result.state !== "Synced").map(({ name }) => shortText(name, 253));
  return { namespace, state, ...(names.length === 0 ? {} : { secrets: names.sort().slice(0, MOST_COPY_NAMES) }) };
}

/** Returns a message for the namespaces in which a Secret that is not a copy has newly taken a copy's name; undefined if there are none. */
export function newConflicts(now: readonly CopyStatus[], before: readonly CopyStatus[]): string | undefined {
  const known = new Set(before.filter(({ state }) => state === "Conflict").map(({ namespace }) => namespace));
  const names = now
    .filter(({ namespace, state }) => state === "Conflict" && !known.has(namespace))
    .flatMap(({ namespace, secrets = [] }) => secrets.map((name) => `${namespace}/${name}`));
  if (names.length === 0) return undefined;
  return `Secret ${names.join(", ")} exists but is not a copy for this class, so the worker leaves it unchanged. Delete the Secret, or choose another secretName`;
}
