import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { Groups } from "../../domain/groups.ts";
import { apiVersionOf, type KubeObject, type ObjectRef, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey, refOf } from "../../domain/object-key.ts";
import type { KubeError } from "../../domain/ports/kube-error.ts";
import type { RolloutReason } from "../../domain/reasons.ts";
import { holdWords } from "../../domain/rollout/hold.ts";
import type { Judged } from "../../domain/rollout/namespace-plan.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import { titleOf, type Workload } from "../../domain/rollout/workload.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { hasRotated, type Rotated, rotatedOf, withoutKinds, withRotated } from "../../domain/sync/rotated-condition.ts";
import { rfc3339 } from "../../domain/sync/stored-time.ts";
import { dropRotated } from "../classes/drop-rotated.ts";
import { type SoonAgain, soonestOf } from "../patience.ts";
import { writeRefusals } from "../refusals.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { AskingWorkload } from "./asking.ts";
import type { RolloutCaches, RolloutContext } from "./rollout-context.ts";

/** Delays by error code (milliseconds): someone wrote meanwhile, and the watch will soon show the new state. */
export const ROLLOUTS_SOON: SoonAgain = { Conflict: 500, NotFound: 500 };

export interface NamespaceReport {
  readonly namespace: string;
  readonly asking: readonly AskingWorkload[];
  readonly haltedBy: Judged | undefined;
  /** Uids of the workloads whose restart the worker just tried. */
  readonly started: ReadonlySet<string>;
}

/**
 * Reports the state of the namespace: by events once per change, by metrics, and by the condition `Rotated` of the classes. Returns the
 * errors that kept conditions from being written. Such an error stops no other write.
 */
export async function reportNamespace(
  context: RolloutContext,
  report: NamespaceReport,
  signal: AbortSignal,
): Promise<readonly KubeError[]> {
  const { namespace, asking, started } = report;
  const haltedBy = report.haltedBy ?? asking.find(({ standing }) => standing.kind === "failed");
  const waiting = asking.filter(({ standing }) => standing.kind === "due" || standing.kind === "awaitingFiles").length;
  const held = asking.flatMap(({ standing }) => (standing.kind === "held" ? [standing.hold.kind] : []));
  context.metrics.observe(namespace, { waiting, isHalted: haltedBy !== undefined && waiting > 0, held });
  for (const each of asking) {
    // If the standing is unknown for the moment, report nothing. Keep the last report, so that the worker does not repeat it if the
    // standing is the same afterwards.
    if (each.standing.kind === "unknown") continue;
    const isStarted = started.has(each.workload.uid) && (each.standing.kind === "restarting" || each.standing.kind === "unawaited");
    announce(context, each, { waiting, isStarted });
    reportWait(context, each, haltedBy ?? asking.find(({ standing }) => standing.kind === "restarting"));
    reportHold(context, each);
  }
  const classes = classesOf(context.worker.live, namespace);
  const users = usersByClass({ secrets: context.worker.live.secrets, classes }, namespace, asking);
  const unused = classes.filter(({ metadata }) => !users.has(metadata.name));
  return writeRefusals([
    ...[...users].map(
      ([name, ofClass]) =>
        () =>
          keepCondition(context, { ref: { namespace, name }, users: ofClass, haltedBy }, signal),
    ),
    ...unused.map((provider) => () => leaveUnused(context, refOf(provider), signal)),
  ]);
}

/**
 * Reports on the classes of the namespace while a kind cannot be listed: the worker then does not know whether workloads use a class, or
 * whether all of them have its versions.
 */
export async function reportUnlisted(context: RolloutContext, namespace: string, signal: AbortSignal): Promise<void> {
  const writes = classesOf(context.worker.live, namespace).map((provider) => () => leaveUnused(context, refOf(provider), signal));
  const refusal = soonestOf(await writeRefusals(writes), ROLLOUTS_SOON);
  if (refusal !== undefined) throw refusal;
}

async function leaveUnused({ worker, workloads }: RolloutContext, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  const { unlisted } = workloads;
  if (unlisted.length === 0) return dropRotated(worker.live.statuses, ref, signal);
  if (hasRotated(worker.live.statuses.get(ref))) await setRotated(worker, { ref, rotated: withoutKinds(unlisted) }, signal);
}

interface ReportedState {
  readonly type: "Normal" | "Warning";
  readonly reason: RolloutReason;
  readonly message: string;
}

interface Circumstances {
  /** Number of workloads of the namespace that wait for a restart. */
  readonly waiting: number;
  readonly isStarted: boolean;
}

function announce({ worker, memory, metrics }: RolloutContext, { workload, versions, standing }: AskingWorkload, now: Circumstances): void {
  const known = memory.of(workload);
  const before = known.reported;
  known.reported = standing.kind;
  if (now.isStarted) {
    const changed = versions.kind === "known" ? [...versions.secrets, ...(versions.mounted ?? []).map(({ className }) => className)] : [];
    const alone = standing.kind === "unawaited" ? "; it was not ready before, so no other workload waits for it" : "";
    emit(worker, workload, {
      type: "Normal",
      reason: "Restarted",
      message: `restarted: the versions in ${changed.join(", ")} changed${alone}`,
    });
    return;
  }
  if (before === standing.kind) return;
  if (standing.kind === "failed") metrics.rollouts.inc({ outcome: "failed" });
  if (standing.kind === "current" && wasRestarting(before)) metrics.rollouts.inc({ outcome: "completed" });
  const reported = reportedOf({ workload, standing }, before, now.waiting);
  if (reported === undefined) return;
  emit(worker, workload, reported);
  const fields = {
    kind: workload.kind,
    workload: objectKey(workload.ref),
    reason: reported.reason,
    detail: reported.message,
  };
  if (reported.type === "Normal") worker.logger.info("workload rotated", fields);
  else worker.logger.warn("workload not rotated", fields);
}

/** Reports which workload this one waits for: once, and once more if that workload has failed. */
function reportWait({ worker, memory }: RolloutContext, { workload, standing }: AskingWorkload, before: Judged | undefined): void {
  const known = memory.of(workload);
  if (standing.kind !== "due" || before === undefined) {
    if (standing.kind !== "due") known.reportedWait = undefined;
    return;
  }
  const failure = before.standing.kind === "failed" ? before.standing.why : undefined;
  const wait = `${standing.stamp} ${failure === undefined ? "" : before.workload.uid}`;
  if (known.reportedWait === wait) return;
  known.reportedWait = wait;
  const first = titleOf(before.workload);
  const why =
    failure === undefined
      ? `${first} restarts first and must stay ready`
      : `restarts in this namespace are halted by ${first} (${failure})`;
  emit(worker, workload, {
    type: "Normal",
    reason: "Waiting",
    message: `object versions changed, but the workload is not restarted yet: ${why}`,
  });
}

/** Reports why the restart of the workload cannot begin, once per reason. */
function reportHold({ worker, memory }: RolloutContext, { workload, standing }: AskingWorkload): void {
  const known = memory.of(workload);
  const reported = standing.kind === "held" ? holdWords(standing.hold) : undefined;
  const hold = reported === undefined || standing.kind !== "held" ? undefined : `${standing.stamp} ${reported.words}`;
  if (known.reportedHold === hold) return;
  known.reportedHold = hold;
  if (reported === undefined) return;
  const { type, reason, words } = reported;
  emit(worker, workload, { type, reason, message: `object versions changed, but the workload is not restarted yet: ${words}` });
}

function reportedOf({ workload, standing }: Judged, before: Standing["kind"] | undefined, waiting: number): ReportedState | undefined {
  switch (standing.kind) {
    case "current":
      return wasRestarting(before) ? { type: "Normal", reason: "Rotated", message: "all pods are ready with the new versions" } : undefined;
    case "failed":
      return {
        type: "Warning",
        reason: "RolloutFailed",
        message:
          `${titleOf(workload)}: ${standing.why}. ${waiting} other workloads wait until it is ready. Fix it, or set ` +
          `keyvault-injector.dev/restart-paused on the Namespace and then undo the rollout; an undo alone lets the next restart begin`,
      };
    case "obstructed":
      return { type: "Warning", reason: standing.reason, message: OBSTACLES[standing.reason] };
    case "noVersions":
      return {
        type: "Warning",
        reason: "NoVersions",
        message: `restarts are requested, but no version information is available: ${standing.why}`,
      };
    case "awaitingFiles":
      return { type: "Normal", reason: "AwaitingFiles", message: standing.message };
    case "due":
    case "held":
    case "restarting":
    case "unawaited":
    case "rolling":
    case "settling":
    case "unknown":
      return undefined;
    default:
      return assertNever(standing);
  }
}

const OBSTACLES = {
  Paused: "object versions changed, but the workload is paused and was not restarted; resume it, then run kubectl rollout restart",
  Degraded:
    "object versions changed, but Argo Rollouts aborted the last update, and a restart would repeat it; fix, undo, or retry the update",
  OnDelete: "object versions changed, but the update strategy is OnDelete; delete the pods to restart them",
  Partitioned:
    "object versions changed, but pods below the partition are not replaced; lower spec.updateStrategy.rollingUpdate.partition to restart them",
} as const;

function wasRestarting(before: Standing["kind"] | undefined): boolean {
  return before === "restarting" || before === "failed";
}

function emit({ events }: RolloutContext["worker"], workload: Workload, reported: ReportedState): void {
  events.emit({ regarding: regarding(workload), ...reported });
}

function regarding({ kind, ref, uid, resourceVersion }: Workload): KubeObject {
  return { apiVersion: apiVersionOf(WORKLOADS[kind]), kind, metadata: { ...ref, uid, resourceVersion } };
}

/**
 * Returns the workloads that use each class, by its name or by a Secret that it syncs or will sync. Covers only the existing classes of the
 * namespace (`classes`), because a pod template may name any number of others.
 */
export function usersByClass(
  { secrets, classes }: { readonly secrets: Pick<SecretStore, "get">; readonly classes: readonly SecretProviderClass[] },
  namespace: string,
  asking: readonly AskingWorkload[],
): ReadonlyMap<string, readonly Judged[]> {
  const present = new Set(classes.map(({ metadata }) => metadata.name));
  const naming = new Groups<string>();
  for (const provider of classes) {
    for (const { secretName } of secretObjectsOf(provider)) naming.set(secretName, provider.metadata.name, provider.metadata.name);
  }
  const ownersOf = (name: string): readonly string[] => {
    const owner = secrets.get({ namespace, name })?.annotations[SECRET_ANNOTATIONS.class];
    return owner === undefined ? naming.of(name) : [owner];
  };
  const users = new Map<string, Judged[]>();
  for (const each of asking.toSorted((a, b) => (titleOf(a.workload) < titleOf(b.workload) ? -1 : 1))) {
    for (const className of new Set([...each.uses.classes, ...each.uses.secrets.flatMap(ownersOf)])) {
      if (!present.has(className)) continue;
      const ofClass = users.get(className);
      if (ofClass === undefined) users.set(className, [each]);
      else ofClass.push(each);
    }
  }
  return users;
}

function classesOf({ classes }: Pick<RolloutCaches, "classes">, namespace: string): readonly SecretProviderClass[] {
  return classes.list().filter(({ metadata }) => metadata.namespace === namespace);
}

interface ClassUsers {
  readonly ref: ObjectRef;
  readonly users: readonly Judged[];
  readonly haltedBy: Judged | undefined;
}

async function keepCondition(
  { worker, workloads }: RolloutContext,
  { ref, users, haltedBy }: ClassUsers,
  signal: AbortSignal,
): Promise<void> {
  const known = rotatedOf(users, haltedBy);
  const rotated = known?.status === "True" && workloads.unlisted.length > 0 ? withoutKinds(workloads.unlisted) : known;
  if (rotated !== undefined) await setRotated(worker, { ref, rotated }, signal);
}

interface RotatedOf {
  readonly ref: ObjectRef;
  readonly rotated: Rotated;
}

async function setRotated(worker: RolloutContext["worker"], { ref, rotated }: RotatedOf, signal: AbortSignal): Promise<void> {
  const time = rfc3339(worker.clock.now());
  await worker.live.statuses.update(ref, (reported) => (reported === undefined ? undefined : withRotated(reported, rotated, time)), signal);
}
