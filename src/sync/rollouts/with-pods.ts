import type { Hold } from "../../domain/rollout/hold.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import { afterRestart } from "../../domain/rollout/standing.ts";
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
  /** Whether its restart cannot begin now, however old its pods are. */
  readonly isHeld: boolean;
  /** Sequence number of the last list of its pods; 0 if there was none. */
  readonly listed: number;
}

export interface SeenByPods {
  readonly seen: readonly AskingWorkload[];
  /** Result of {@link holdsOf} before the pods were listed. Each workload that is due after that was due before. */
  readonly holds: ReadonlyMap<string, Hold>;
}

/**
 * Determines the standing of each workload from its pods, which the worker lists for each workload separately. If that takes longer than
 * the time limit of a reconcile, workloads whose pods were listed never or longest ago come first. Each workload therefore has its turn in
 * one of the next reconciles, whichever the others are. Of the workloads that were never listed, those that can be restarted come first.
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
  // If the restart is held, the state of the files at the end of the hold counts.
  const due = isHeld ? old : await withFiles(context, old, signal);
  return withUnawaited(context, await withProof(context, due, signal), signal);
}

/**
 * If all pods of a workload are younger than the versions, they have them: records this, and restarts nothing. If the pods come from a
 * restart for other versions, that restart must be proven first.
 */
async function withoutYoung(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  const { writer } = context;
  const { workload, standing } = each;
  if (standing.kind !== "due" && standing.kind !== "obstructed") return each;
  const has = await hasOldVersions(context, each, standing, signal);
  if (has === true) return each;
  if (has !== false) return { ...each, standing: { kind: "unknown", why: has } };
  if (isRestarted(workload)) return standing.kind === "due" || workload.progress.isComplete ? unproven(context, each) : each;
  // If the API server rejects the record, only the record is missing: the pods have the versions.
  await attempt(writer, { workload, request: "record" }, () => recordStamp(writer, { workload, stamp: standing.stamp }, signal));
  return { ...each, standing: { kind: "current" } };
}

/** Returns the workload with the standing of its restart, whatever versions it was for. */
function unproven({ worker, memory, settings }: RolloutContext, each: AskingWorkload): AskingWorkload {
  const { workload } = each;
  const stalledMs = memory.stalledFor(workload, worker.clock.now());
  return { ...each, standing: afterRestart({ workload, stalledMs, timeoutMs: settings.timeoutMs }) };
}

/**
 * Checks whether the pods of a restarted workload stay available, once all of them are. Also checks this if the current versions are
 * unknown: the result of the restart is still unproven.
 */
async function withProof(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  const { standing, workload, versions } = each;
  const isUnproven = versions.kind !== "known" && standing.kind !== "failed" && workload.progress.isComplete;
  if (standing.kind !== "current" && !isUnproven) return each;
  const input = { ...context.writer, now: context.worker.clock.now(), timeoutMs: context.settings.timeoutMs };
  const proven = await proveRestart(input, workload, signal);
  return proven.kind === "current" ? each : { ...each, standing: proven };
}
