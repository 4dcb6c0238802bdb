import type { ObjectRef } from "../../domain/kubernetes.ts";
import { refOf } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { isAbout } from "../../domain/sync/class-answer.ts";
import { conditionOf, withSynced } from "../../domain/sync/class-status.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { rfc3339 } from "../../domain/sync/stored-time.ts";
import { summarize, UNUSED_MESSAGE } from "../../domain/sync/summarize.ts";
import type { ClassPorts } from "./ports.ts";
import { mirroredNow } from "./unanswered-edits.ts";

/** A freeze that ends sooner delays no one, so it is not worth one status write per class (milliseconds). */
const WORTH_REPORTING_MS = 10_000;

/** Reports in the status of a class that the worker does not act on the class while its CRD is not whole. */
export async function reportFrozen(ports: ClassPorts, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  const { state, damagedSince } = ports.caches.cluster.crdHealth;
  const now = ports.clock.now();
  if (state.kind !== "frozen" || damagedSince === undefined || now - damagedSince < WORTH_REPORTING_MS) return;
  ports.reporter.reportFreeze(state.why, damagedSince);
  const message = `the worker does not act on this class: ${state.why}. Its Secrets remain unchanged`;
  const change = (reported: ClassStatus | undefined): ClassStatus | undefined => {
    const synced = conditionOf(reported, "Synced");
    // For a class that is switched off, the worker changes nothing in either case.
    if (reported === undefined || synced === undefined || synced.reason === "Frozen" || synced.reason === "SwitchedOff") return undefined;
    return withSynced(reported, { status: "Unknown", reason: "Frozen", message }, { time: rfc3339(now) });
  };
  await ports.caches.statuses.update(ref, change, signal);
}

/**
 * Sets `Synced` back to its value from before the freeze, without a query to the vault. If the class has changed since, the status leaves
 * open whether the class is ready.
 */
export async function reportThawed(ports: ClassPorts, provider: HeldClass, signal: AbortSignal): Promise<void> {
  // The reconcile stores everything else together with its own result.
  if (!isFrozen(ports.caches.statuses.get(refOf(provider)))) return;
  const change = (reported: ClassStatus | undefined): ClassStatus | undefined => {
    if (!isFrozen(reported)) return undefined;
    const now = mirroredNow(ports.caches, provider);
    const isEmpty = reported.secrets.length === 0;
    const newer = now !== undefined && (isEmpty || !isAbout(reported, now)) ? now.generation : undefined;
    const before = isEmpty ? { reason: "Synced" as const, message: UNUSED_MESSAGE } : summarize(reported.secrets);
    const status = before.reason === "Synced" ? "True" : "False";
    return withSynced(reported, { status, ...before }, { time: rfc3339(ports.clock.now()), newer });
  };
  await ports.caches.statuses.update(refOf(provider), change, signal);
}

function isFrozen(reported: ClassStatus | undefined): reported is ClassStatus {
  return conditionOf(reported, "Synced")?.reason === "Frozen";
}
