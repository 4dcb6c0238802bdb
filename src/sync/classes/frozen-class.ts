import type { ObjectRef, SecretProviderClass } from "../../domain/kubernetes.ts";
import { conditionOf, withCondition } from "../../domain/sync/class-status.ts";
import { summarize } from "../../domain/sync/summarize.ts";
import type { WorkerContext } from "../worker-context.ts";
import { refOf } from "./class-ref.ts";

/** A CRD that is healed sooner has not kept anybody waiting, and is worth no write for every class (milliseconds). */
const WORTH_TELLING_MS = 10_000;

/** Says in the status of a class that nothing is changed because of it while its CRD is not whole. */
export async function reportFrozen(context: WorkerContext, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  const { state, damagedSince } = context.gate;
  const now = context.clock.now();
  if (state.kind !== "frozen" || damagedSince === undefined || now - damagedSince < WORTH_TELLING_MS) return;
  context.tellFreeze(state.why, damagedSince);
  const stored = context.statuses.get(ref);
  const synced = conditionOf(stored, "Synced");
  if (stored === undefined || synced === undefined || synced.reason === "Frozen") return;
  const message = `nothing is changed because of this class: ${state.why}. Its Secrets stay as they are`;
  await context.statuses.write(ref, withCondition(stored, { type: "Synced", status: "Unknown", reason: "Frozen", message }, now), signal);
}

/** What was true before the freeze is true again, and nobody has to be asked for that. */
export async function reportThawed(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<void> {
  const ref = refOf(provider);
  const stored = context.statuses.get(ref);
  if (stored === undefined || conditionOf(stored, "Synced")?.reason !== "Frozen") return;
  const told = summarize(stored.secrets);
  const status = told.reason === "Synced" ? "True" : "False";
  await context.statuses.write(ref, withCondition(stored, { type: "Synced", status, ...told }, context.clock.now()), signal);
}
