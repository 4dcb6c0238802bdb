import { objectKey } from "../../domain/object-key.ts";
import type { Due } from "../../domain/rollout/namespace-plan.ts";
import { hasStamp, isRestarted } from "../../domain/rollout/stamp.ts";
import { allowedMs, rejectedFor, type Standing, standingOf, turnOf } from "../../domain/rollout/standing.ts";
import { type Uses, usesOf } from "../../domain/rollout/uses.ts";
import { type Versions, versionsFor } from "../../domain/rollout/versions.ts";
import { TOO_LARGE_WORDS, type Workload } from "../../domain/rollout/workload.ts";
import { Breaths } from "../../runtime/breaths.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import { outcomeOfRefusal, soonestOf } from "../patience.ts";
import { adopt, isHaltInherited, mostAtATime } from "./adopt.ts";
import type { AskingWorkload } from "./asking.ts";
import { chooseStarts } from "./choose-starts.ts";
import { heldNowFor, holdNow, recentHold } from "./hold-now.ts";
import { attempt, inTurn, openTrouble, retryIn } from "./own-requests.ts";
import { heldBy } from "./rollout-budgets.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { answerIdleRequests, defaultsFor, holdBy, holdsOf, openRequestOf, windowWait, withHolds } from "./rollout-holds.ts";
import type { Trouble } from "./rollout-memory.ts";
import { ROLLOUTS_SOON, reportNamespace, reportUnlisted } from "./rollout-report.ts";
import { namespaceSecrets, stampOf } from "./rollout-versions.ts";
import { restart } from "./rollout-write.ts";
import { settleUnanswered, unansweredMs } from "./unanswered.ts";
import { holdsSlot, slotMsOf } from "./under-way.ts";
import { withPods } from "./with-pods.ts";

/**
 * Time in milliseconds for which versions must be unchanged before a restart. The worker writes the Secrets of a class one after the other,
 * so a new version in one of them may precede those in the others.
 */
const SETTLE_MS = 2_000;

/** Time in milliseconds until the next reconcile while something is not known yet. */
const UNSETTLED_MS = 1_000;

/** Time in milliseconds until the next reconcile if a request was rejected or something is missing. The cause may end without an event. */
const REFUSED_MS = 60_000;

/** Units of event loop time for one workload, as {@link Breaths} counts them. */
const UNITS_OF_A_WORKLOAD = 50;

const TOO_LARGE: Versions = { kind: "none", why: TOO_LARGE_WORDS };

const AGAIN: Outcome = { kind: "requeueAfter", milliseconds: UNSETTLED_MS };

/** Reconciles one namespace: reads the whole state, decides once, begins the next restarts, and reports the state. */
export async function reconcileRollouts(context: RolloutContext, namespace: string, signal: AbortSignal): Promise<Outcome> {
  const watched = context.workloads.ofNamespace(namespace);
  if (context.worker.live.crdHealth.state.kind === "frozen") return AGAIN;
  // Asks for the reports of the leader before, which this leader's own replace.
  isHaltInherited(context.memory, context.worker.live, namespace);
  if (!context.workloads.hasSynced) {
    // Without the defaults of its Namespace, the worker knows nothing about a workload.
    if (context.workloads.unlisted.length > 0) await reportUnlisted(context, namespace, signal);
    return AGAIN;
  }
  context.memory.noteJudging(context.worker.clock.now());
  const breaths = new Breaths();
  await settleUnanswered(context.writer, watched, signal);
  const judged = (await judgeAll(context, namespace, { watched, breaths })).map((each) => withTrouble(context, each));
  // The pod lists and the restarts have separate time limits, so that the lists leave time for the restarts.
  const seeing = inTurn(context);
  const { seen: seenByPods, holds } = await withPods(seeing, { judged, breaths }, signal);
  const seen = seenByPods.map((each) => ({ ...each, standing: stillRejected(context, each) }));
  // The worker sees a hold that began or ended in the last seconds right before a restart begins, and in the next reconcile.
  const free = withHolds(seen, seeing.writer.turn.hasPutOff ? await holdsOf(context, seen, breaths) : holds);
  const most = mostInNow(context, namespace);
  const { asking, ...plan } = await chooseStarts(context, namespace, { free, breaths, most });
  const started = new Map<string, Standing>();
  const starting = inTurn(context);
  for (const due of plan.starts) started.set(due.workload.uid, await startRestart(starting, due, signal));
  await answerIdleRequests(starting, asking, signal);
  const after = asking.map((each) => ({ ...each, standing: started.get(each.workload.uid) ?? each.standing }));
  const unreported = await reportNamespace(
    context,
    { namespace, asking: after, haltedBy: plan.haltedBy, started: new Set(started.keys()) },
    signal,
  );
  // If a restart could not begin, the next workload has its turn at once.
  const isPassedOn = [...started.values()].some(({ kind }) => kind === "held");
  const isPutOff = seeing.writer.turn.hasPutOff || starting.writer.turn.hasPutOff;
  const next = isPassedOn || isPutOff ? AGAIN : await nextCheck(context, after, breaths);
  // A rejected condition delays nothing else. The error is not thrown, because the namespace would lose its place among the restarts.
  const refusal = soonestOf(unreported, ROLLOUTS_SOON, next);
  return refusal === undefined ? next : outcomeOfRefusal(refusal, ROLLOUTS_SOON);
}

function mostInNow({ worker, memory, settings }: RolloutContext, namespace: string): number {
  const { timeoutMs, mostAtATime: setting } = settings;
  return mostAtATime({ memory, now: worker.clock.now(), timeoutMs }, isHaltInherited(memory, worker.live, namespace), setting);
}

interface WatchedWorkloads {
  readonly watched: readonly Workload[];
  readonly breaths: Breaths;
}

/**
 * Returns the workloads that request restarts, with their standing. Many workloads of a namespace use the same classes and Secrets, so this
 * determines the versions of each combination once.
 */
export async function judgeAll(
  context: Pick<RolloutContext, "worker" | "workloads" | "versions" | "memory" | "settings">,
  namespace: string,
  { watched, breaths }: WatchedWorkloads,
): Promise<readonly AskingWorkload[]> {
  const { live, isSwitchedOff, clock } = context.worker;
  const { classes, secrets, statuses } = live;
  const mounts = { statuses, isSwitchedOff };
  const now = clock.now();
  const known = namespaceSecrets({ namespace, classes: classes.list(), secrets, times: context.versions.times, mounts, now });
  const defaults = context.workloads.defaultsOf(namespace);
  const isHalted = isHaltInherited(context.memory, live, namespace);
  const wanted = new Map<string, Wanted>();
  const asking: AskingWorkload[] = [];
  for (const object of watched) {
    const workload = context.memory.latest(object);
    const uses = usesOf(workload, defaults);
    if (!uses.asksForRestarts) continue;
    adopt({ memory: context.memory, now, timeoutMs: context.settings.timeoutMs }, workload, isHalted);
    const key = workload.isTooLarge ? "" : JSON.stringify([uses.classes, uses.secrets]);
    const found = wanted.get(key) ?? wantedBy(workload.isTooLarge ? TOO_LARGE : versionsFor(uses, known));
    wanted.set(key, found);
    asking.push(judge(context, { workload, uses, wanted: found, now }));
    await breaths.spend(UNITS_OF_A_WORKLOAD + (found.versions.kind === "known" ? found.versions.objects.length : 0));
  }
  return asking;
}

/** The versions that a new pod gets now, and their hashes. */
interface Wanted {
  readonly versions: Versions;
  /** Empty if the versions are not known. */
  readonly stamp: string;
  readonly mirroredStamp: string | undefined;
}

function wantedBy(versions: Versions): Wanted {
  return { versions, stamp: versions.kind === "known" ? stampOf(versions.objects) : "", mirroredStamp: mirroredStampOf(versions) };
}

interface JudgeInput {
  readonly workload: Workload;
  readonly uses: Uses;
  readonly wanted: Wanted;
  readonly now: number;
}

function judge(
  { memory, settings }: Pick<RolloutContext, "memory" | "settings">,
  { workload, uses, wanted, now }: JudgeInput,
): AskingWorkload {
  const { versions, stamp, mirroredStamp } = wanted;
  const openMs = unansweredMs(memory, workload, now);
  if (openMs > 0) {
    const standing: Standing = { kind: "restarting", provenIn: UNSETTLED_MS };
    return { workload, uses, versions, standing, slotMs: openMs, isUnderWay: true };
  }
  const isSettled = memory.settledFor(workload, stamp, now) >= SETTLE_MS;
  const standing: Standing =
    isSettled || versions.kind !== "known" || hasStamp(workload, stamp)
      ? standingOf({
          workload,
          versions,
          stamp,
          mirroredStamp,
          stalledMs: memory.stalledFor(workload, now),
          timeoutMs: settings.timeoutMs,
        })
      : { kind: "settling", isUnfinished: isRestarted(workload) };
  const slotMs = slotMsOf({ memory, now, timeoutMs: settings.timeoutMs }, workload);
  const isUnderWay = slotMs > 0 && !workload.progress.isComplete;
  const inherited = memory.inherited(workload);
  const isInherited = inherited !== undefined && (slotMs > 0 || inherited.hasFailed);
  return { workload, uses, versions, standing, slotMs, isUnderWay, isInherited };
}

/** Returns the hash of the versions in Secrets alone. A worker that knew of no other versions wrote this hash as the stamp. */
function mirroredStampOf(versions: Versions): string | undefined {
  if (versions.kind !== "known" || versions.mounted === undefined || versions.secrets.length === 0) return undefined;
  const mounted = new Set(versions.mounted.flatMap(({ objects }) => objects));
  return stampOf(versions.objects.filter((object) => !mounted.has(object)));
}

/** Marks a workload whose restart failed as not due until the next attempt, so that others have their turn. */
function withTrouble(context: RolloutContext, each: AskingWorkload): AskingWorkload {
  const { workload } = each;
  const standing = withRejection(context, each);
  if (standing.kind !== "due") return each;
  const trouble = openTrouble(context.writer, { workload, request: "restart" });
  if (trouble !== undefined) return { ...each, standing: afterTrouble(standing, trouble) };
  const hold = recentHold(context, workload);
  return { ...each, standing: hold === undefined ? standing : heldBy(standing, hold) };
}

/** A rejection outlasts later attempts without a verdict, and ends when the API server accepts the restart or the pods are current. */
function withRejection({ memory }: RolloutContext, { workload, standing }: AskingWorkload): Standing {
  const known = memory.of(workload);
  if (standing.kind === "current") known.rejected = undefined;
  if (standing.kind !== "due" || standing.turn === "unready" || known.rejected === undefined) return standing;
  return { ...standing, rejected: known.rejected };
}

/** A rejected restart stays failed while newer versions of it settle, or while the versions in the pods are not known. */
function stillRejected({ memory, worker }: RolloutContext, { workload, standing }: AskingWorkload): Standing {
  const { rejected } = memory.of(workload);
  if (rejected === undefined || turnOf(workload) === "unready") return standing;
  if (standing.kind === "settling") return { ...rejectedFor(rejected), provenIn: SETTLE_MS };
  if (standing.kind === "awaitingFiles") return { ...rejectedFor(rejected), provenIn: untilFiles(standing.until, worker.clock.now()) };
  return standing.kind === "unknown" ? rejectedFor(rejected) : standing;
}

/**
 * Returns the standing after a failed request. If the API server or a policy rejects a restart that others wait for, that restart has
 * failed. A request that may succeed later holds up no other workload.
 */
function afterTrouble(standing: Due["standing"], { why, refusedAt }: Trouble): Standing {
  const isFailure = refusedAt !== undefined && standing.turn !== "unready";
  return isFailure ? rejectedFor(why) : heldBy(standing, { kind: "blocked", why });
}

async function startRestart(context: RolloutContext, due: Due, signal: AbortSignal): Promise<Standing> {
  const { worker, writer, metrics } = context;
  const { workload, standing } = due;
  const held = await holdNow(context, due, signal);
  if (!held.ok) return heldBy(standing, { kind: "blocked", why: held.error.why });
  const { hold, defaults } = held.value;
  if (hold !== undefined) return heldBy(standing, hold);
  const { kind, ref } = workload;
  const isWaitedFor = standing.turn !== "unready";
  const answered = openRequestOf(context, workload);
  // The request can wait for its turn until the window has closed, or the Namespace has changed.
  const before = defaultsFor(context, workload);
  const isStillDue = (): boolean => {
    const after = defaultsFor(context, workload);
    return holdBy(context, workload, after === before ? defaults : after) === undefined;
  };
  const begun = await attempt(writer, { workload, request: "restart" }, () =>
    restart(writer, { workload, stamp: standing.stamp, isWaitedFor, answered, isStillDue }, signal),
  );
  if (!begun.ok) {
    if (begun.error.refusedAt !== undefined) context.memory.of(workload).rejected = begun.error.why;
    return afterTrouble(standing, begun.error);
  }
  context.memory.of(workload).rejected = undefined;
  context.memory.endInheritedHalt(workload);
  metrics.rollouts.inc({ outcome: "started" });
  worker.logger.info("workload restarted", { kind, workload: objectKey(ref), stamp: standing.stamp });
  return { kind: isWaitedFor ? "restarting" : "unawaited" };
}

/**
 * Returns the time in milliseconds until the next check of the files. A watch shows what the driver writes, and also the end of most
 * problems.
 */
function untilFiles(until: number | undefined, now: number): number {
  return until === undefined ? REFUSED_MS : Math.max(UNSETTLED_MS, until - now);
}

/** Returns when to reconcile the namespace again. Watches show all changes, but not the passing of time. */
async function nextCheck(context: RolloutContext, asking: readonly AskingWorkload[], breaths: Breaths): Promise<Outcome> {
  const { memory, settings, worker } = context;
  const asked = asking.flatMap(({ workload }) => [retryIn(context.writer, workload), heldNowFor(context, workload)]);
  const retries = asked.filter((wait) => wait !== undefined).map((wait) => Math.max(UNSETTLED_MS, wait));
  // A reconcile wakes the namespaces that wait for the slot of a restart without progress.
  const slots = asking.filter(holdsSlot).map(({ slotMs }) => slotMs);
  const changes = asking.flatMap(({ workload, standing }) => {
    if (standing.kind === "settling") return [SETTLE_MS];
    if (standing.kind === "awaitingFiles") return [untilFiles(standing.until, worker.clock.now())];
    const provenIn = standing.kind === "restarting" || standing.kind === "failed" ? standing.provenIn : undefined;
    if (provenIn !== undefined) return [Math.max(UNSETTLED_MS, provenIn)];
    if (standing.kind === "failed" || standing.kind === "unknown") return [REFUSED_MS];
    if (standing.kind === "held" && (standing.hold.kind === "cluster" || standing.hold.kind === "budgetsUnknown")) return [REFUSED_MS];
    if (standing.kind !== "restarting" && standing.kind !== "rolling") return [];
    return [Math.max(UNSETTLED_MS, allowedMs(workload, settings.timeoutMs) - memory.stalledFor(workload, worker.clock.now()))];
  });
  const windowMs = await windowWait(context, asking, breaths);
  const unlistedMs = context.workloads.unlisted.length === 0 ? [] : [REFUSED_MS];
  const waits = [...changes, ...retries, ...unlistedMs, ...slots, ...(windowMs === undefined ? [] : [windowMs])].filter(Number.isFinite);
  return waits.length === 0 ? { kind: "done" } : { kind: "requeueAfter", milliseconds: Math.min(...waits) };
}
