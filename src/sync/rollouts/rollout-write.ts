import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../../domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { ok, type Result } from "../../domain/result.ts";
import { type AgingPod, agingPod, hasOldPod } from "../../domain/rollout/pod-age.ts";
import { restartStamp, settledStamp } from "../../domain/rollout/stamp.ts";
import { observeWorkload, type Workload } from "../../domain/rollout/workload.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { attempt, type OwnRequestPorts } from "./own-requests.ts";
import type { Trouble } from "./rollout-memory.ts";
import { noteUnanswered } from "./unanswered.ts";

export interface RolloutWriter extends OwnRequestPorts {
  readonly kube: KubeClient;
  /** Whether the worker writes no workload. Each reconcile then determines again what the worker would have recorded. */
  readonly isDryRun: boolean;
}

export interface StampedFor {
  readonly workload: Workload;
  readonly stamp: string;
}

/** Whether the workload has live pods that are older than the versions. Lists the pods once per state of the workload. */
export async function hasOldPods(
  writer: RolloutWriter,
  { workload, stamp, since }: StampedFor & { readonly since: number },
  signal: AbortSignal,
): Promise<Result<boolean, Trouble>> {
  const known = writer.memory.of(workload);
  const of = `${stamp} ${since} ${workload.resourceVersion}`;
  if (known.oldPods?.of === of) return ok(known.oldPods.has);
  const pods = await listPods(writer, workload, signal);
  if (!pods.ok) return pods;
  const has = hasOldPod(pods.value, since);
  known.oldPods = { of, has };
  return ok(has);
}

export interface RestartFor extends StampedFor {
  /** Whether other workloads wait for the restart, because its result says something about the versions. */
  readonly isWaitedFor: boolean;
  /** Hash of the request that this restart follows. */
  readonly answered: string | undefined;
  /** Whether the restart may begin at the moment at which its request is sent. */
  readonly isStillDue: () => boolean;
}

/** Number of pods up to which the worker keeps a list. */
const MOST_KEPT = 100;

/** Returns the pods of the workload, as they were at its current resourceVersion. */
export async function podsFor(
  writer: RolloutWriter,
  workload: Workload,
  signal: AbortSignal,
): Promise<Result<readonly AgingPod[], Trouble>> {
  const known = writer.memory.of(workload);
  const { resourceVersion: of } = workload;
  if (known.pods?.of === of) return ok(known.pods.list);
  const listed = await listPods(writer, workload, signal);
  // The worker keeps a list per workload between reconciles, and the selectors of workloads may overlap. It therefore keeps no long list,
  // and reads it again.
  if (listed.ok) known.pods = listed.value.length > MOST_KEPT ? undefined : { of, list: listed.value };
  return listed;
}

/** A remembered list takes no time of the reconcile. */
function listPods(writer: RolloutWriter, workload: Workload, signal: AbortSignal): Promise<Result<readonly AgingPod[], Trouble>> {
  const { ref, selector: labelSelector } = workload;
  const wanted = { namespace: ref.namespace ?? "", labelSelector, keep: agingPod };
  return attempt(writer, { workload, request: "list" }, () => writer.kube.list<AgingPod>(RESOURCES.pods, wanted, signal));
}

/** Restarts the workload: changes one annotation of the pod template, so that the controller replaces the pods. */
export async function restart(
  writer: RolloutWriter,
  { workload, stamp, isWaitedFor, answered, isStillDue }: RestartFor,
  signal: AbortSignal,
): Promise<void> {
  const ofTemplate = restartStamp(workload, stamp);
  const patch: StampPatch = {
    metadata: {
      annotations: {
        [POD_ANNOTATIONS.rotated]: isWaitedFor ? ofTemplate : settledStamp(ofTemplate),
        ...(answered === undefined ? {} : { [RESTART_ANNOTATIONS.nowAnswered]: answered }),
      },
    },
    spec: { template: { metadata: { annotations: { [POD_ANNOTATIONS.rotated]: ofTemplate } } } },
  };
  if (isWaitedFor && !writer.isDryRun) writer.memory.noteBeginning(workload, ofTemplate, writer.clock.now());
  try {
    await write(writer, { workload, patch, isStillDue }, signal);
  } catch (error) {
    if (isWaitedFor) noteUnanswered(writer, workload, error);
    throw error;
  }
}

/** Records a request as answered for which no restart was necessary. */
export async function recordAnswered(
  writer: RolloutWriter,
  { workload, answered }: { readonly workload: Workload; readonly answered: string },
  signal: AbortSignal,
): Promise<void> {
  await write(writer, { workload, patch: { metadata: { annotations: { [RESTART_ANNOTATIONS.nowAnswered]: answered } } } }, signal);
}

/** Records that the restart of the workload succeeded. */
export async function recordSettled(writer: RolloutWriter, workload: Workload, signal: AbortSignal): Promise<void> {
  const annotations = { [POD_ANNOTATIONS.rotated]: settledStamp(workload.templateStamp ?? "") };
  await write(writer, { workload, patch: { metadata: { annotations } } }, signal);
}

/** Records that the pods have the versions anyway. The record is on the workload itself, where it restarts nothing. */
export async function recordStamp(writer: RolloutWriter, { workload, stamp }: StampedFor, signal: AbortSignal): Promise<void> {
  await write(writer, { workload, patch: { metadata: { annotations: { [POD_ANNOTATIONS.rotated]: stamp } } } }, signal);
}

interface StampPatch {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

interface Write {
  readonly workload: Workload;
  readonly patch: StampPatch;
  readonly isStillDue?: () => boolean;
}

/** Patches the workload only in the state that the worker evaluated: its resourceVersion is a precondition. */
async function write(
  { kube, memory, isDryRun }: RolloutWriter,
  { workload, patch, isStillDue }: Write,
  signal: AbortSignal,
): Promise<void> {
  if (isDryRun) return;
  const { kind, ref, uid, resourceVersion } = workload;
  const body = { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } };
  const options = { fieldManager: FIELD_MANAGER, ...(isStillDue === undefined ? {} : { isStillDue }) };
  const written = await kube.mergePatch<KubeObject>(WORKLOADS[kind], ref, body, options, signal);
  const observed = observeWorkload(kind, written);
  if (observed !== undefined) memory.of(workload).written = { basedOn: resourceVersion, workload: observed };
}
