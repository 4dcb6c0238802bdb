import type { Hold } from "../../domain/rollout/hold.ts";
import type { Breaths } from "../../runtime/breaths.ts";
import type { AskingWorkload } from "./asking.ts";
import { hasOldVersions, withFiles } from "./await-files.ts";
import { attempt } from "./own-requests.ts";
import { proveRestart } from "./prove-restart.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { holdsOf } from "./rollout-holds.ts";
import { recordStamp } from "./rollout-write.ts";
import { withUnawaited } from "./unawaited.ts";

interface Seen {
  readonly each: AskingWorkload;
  /** Its restart may not begin now, however old its pods are. */
  readonly isHeld: boolean;
  /** The list by which its pods were last asked for; 0: by none. */
  readonly listed: number;
}

export interface SeenByPods {
  readonly seen: readonly AskingWorkload[];
  /** As of {@link holdsOf}, before the pods were listed. What is due after that was due before. */
  readonly holds: ReadonlyMap<string, Hold>;
}

/**
 * How each stands by its pods, which are listed for each by itself. Where that takes more than the turn of a look, those whose pods were not
 * asked for, or longest ago, come first: each has its turn in one of the next looks, whoever the others are. Of those that were never asked
 * for it is the ones that may be restarted.
 */
export async function withPods(
  context: RolloutContext,
  { judged, breaths }: { readonly judged: readonly AskingWorkload[]; readonly breaths: Breaths },
  signal: AbortSignal,
): Promise<SeenByPods> {
  const holds = await holdsOf(context, judged, breaths);
  const inTurn = judged.map((each): Seen => {
    const { uid } = each.workload;
    return { each, isHeld: holds.has(uid), listed: context.memory.of({ uid }).listed };
  });
  inTurn.sort((a, b) => a.listed - b.listed || Number(a.isHeld) - Number(b.isHeld));
  const seen = new Map<string, AskingWorkload>();
  for (const next of inTurn) seen.set(next.each.workload.uid, await byItsPods(context, next, signal));
  return { seen: judged.map((each) => seen.get(each.workload.uid) ?? each), holds };
}

async function byItsPods(context: RolloutContext, { each, isHeld }: Seen, signal: AbortSignal): Promise<AskingWorkload> {
  const old = await withoutYoung(context, each, signal);
  // What the driver has done by the end of the hold counts.
  const due = isHeld ? old : await withFiles(context, old, signal);
  return withUnawaited(context, await withProof(context, due, signal), signal);
}

/** Whose pods are all younger than the versions has them: that is recorded, and nothing is restarted. */
async function withoutYoung(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  const { writer } = context;
  const { workload, standing } = each;
  if (standing.kind !== "due" && standing.kind !== "obstructed") return each;
  const has = await hasOldVersions(context, each, standing, signal);
  if (has === true) return each;
  if (has !== false) return { ...each, standing: { kind: "unknown", why: has } };
  // What does not let the record through costs its use alone: the pods have the versions.
  await attempt(writer, { workload, request: "record" }, () => recordStamp(writer, { workload, stamp: standing.stamp }, signal));
  return { ...each, standing: { kind: "current" } };
}

/** Whose pods are all available after a restart: that they stay so is still to be seen. */
async function withProof(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  if (each.standing.kind !== "current") return each;
  const input = { ...context.writer, now: context.worker.clock.now(), timeoutMs: context.settings.timeoutMs };
  return { ...each, standing: await proveRestart(input, each.workload, signal) };
}
