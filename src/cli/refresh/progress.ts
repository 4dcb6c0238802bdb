import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { monotonicClock } from "../../domain/ports/clock.ts";
import type { ClassDefect } from "../../domain/preflight/class-defect.ts";
import type { DriverPace } from "../../domain/refresh/driver-pace.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type RefreshRequest, workerAnswer } from "../../domain/sync/worker-answer.ts";
import { objectUsages } from "../../domain/where/object-usage.ts";
import type { ObjectUsage } from "../../domain/where/usage.ts";
import { classAbsence, NO_CLASSES_SERVED } from "../shared/absence.ts";
import { type Cluster, type CommandContext, CommandFailure } from "../shared/command.ts";
import { isUnansweredFailure } from "../shared/repeated-reads.ts";
import { lookUp, type Viewer, type ViewResult, valueIn } from "../shared/viewer.ts";
import { gather } from "../where/gather.ts";
import { type Fetching, isFetchedWell, isFinal, type RefreshAnswer } from "./answer.ts";

/** One requested refresh. */
export interface Refreshing {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  readonly viewer: Viewer;
  /** Namespace and name of the class. */
  readonly ref: Required<ObjectRef>;
  readonly request: RefreshRequest;
  /** Cloud of classes that name none. */
  readonly cloudName: string;
  readonly fetching: Fetching;
  /** Defect in the text of the class, which no refresh can solve. */
  readonly defect: ClassDefect | undefined;
}

/** A pod that mounts the class. */
export interface MountingPod {
  readonly name: string;
  /** Whether it has a node, and therefore a kubelet. */
  readonly isScheduled: boolean;
}

/** Progress of a refresh. */
export interface RefreshProgress {
  readonly pods: readonly MountingPod[];
  readonly usages: readonly ObjectUsage[];
  readonly answer: RefreshAnswer;
  /** Whether the worker has succeeded, no Secret has an older version, and no file has, or may have, one. */
  readonly isUpToDate: boolean;
  readonly unseen: readonly string[];
  /** Time that the command waited in vain, in milliseconds; undefined if it did not wait until its time was over. */
  readonly timedOutMs?: number;
}

/** `wasNamed`: whether the status has named the request at any time so far. */
export async function refreshProgress(refreshing: Refreshing, wasNamed = false): Promise<RefreshProgress> {
  const { cluster, context, ref, cloudName } = refreshing;
  const isShown = ({ namespace, name }: { readonly namespace: string; readonly name: string }): boolean =>
    namespace === ref.namespace && name === ref.name;
  // Reads the status before the lists: an answer that came later could be newer than what the lists contain.
  const status = await readClassStatus(refreshing.viewer, ref);
  const spc = await classIn(refreshing.viewer, ref);
  // Another class of the namespace may name the same object, and know a newer version.
  const { namespace: within } = ref;
  const { snapshot, unseen } = await gather(cluster, context, { within, cloudName, isWanted: () => true, needed: within });
  const usages = objectUsages(snapshot, () => true, isShown);
  const pods = snapshot.podsOfClass(ref.namespace, ref.name).map(({ name, node }) => ({ name, isScheduled: node !== undefined }));
  const isUnused = pods.length === 0 && snapshot.unseen("pods", ref.namespace) === undefined;
  const answer = answerIn(refreshing, { status, spc, isUnused, wasNamed });
  return { pods, usages, answer, isUpToDate: isFetchedWell(answer) && usages.every(isNowhereOld), unseen };
}

interface Read {
  readonly status: ViewResult<ClassStatus | undefined>;
  readonly spc: SecretProviderClass;
  /** Whether no pod mounts the class. False if the user may not list the pods. */
  readonly isUnused: boolean;
  readonly wasNamed: boolean;
}

function answerIn({ fetching, request }: Refreshing, { status: reading, spc, isUnused, wasNamed }: Read): RefreshAnswer {
  if (fetching.kind !== "fetched") return fetching;
  if (reading.kind === "unseen") return { kind: "unseen", why: reading.why };
  const status = valueIn(reading);
  if (fetching.isWhileUsed && isUnused) return { kind: "unused", hasSecrets: (status?.secrets ?? []).length > 0 };
  const { generation = 0, annotations } = spc.metadata;
  return workerAnswer({ request, generation, annotation: annotations?.[CLASS_ANNOTATIONS.refresh], status, wasNamed });
}

function isNowhereOld({ secrets, containers }: ObjectUsage): boolean {
  const mounts = containers.filter(({ via }) => via === "mount");
  return secrets.every(({ state }) => state !== "old") && mounts.every(({ state }) => state !== "old" && state !== "unknown");
}

/** Returns the class; throws {@link CommandFailure} if it does not exist, or the user may not read it. */
export async function classIn(viewer: Viewer, ref: Required<ObjectRef>): Promise<SecretProviderClass> {
  const reading = await viewer.object<SecretProviderClass>(RESOURCES.secretProviderClasses, ref);
  if (reading.kind === "seen") return reading.value;
  if (reading.kind === "unseen") throw new CommandFailure(`${reading.why}; ask for permission to get secretproviderclasses`);
  throw new CommandFailure(reading.kind === "unserved" ? NO_CLASSES_SERVED : await classAbsence(viewer, ref));
}

/** Reads the worker's status of the class; undefined if the worker has written none. */
export async function readClassStatus(viewer: Viewer, ref: Required<ObjectRef>): Promise<ViewResult<ClassStatus | undefined>> {
  const reading = await lookUp<SecretProviderClassSync>(viewer, RESOURCES.secretProviderClassSyncs, ref);
  return reading.kind === "seen" ? { kind: "seen", value: readStatus(reading.value.status) } : reading;
}

export interface Waiting {
  readonly pace: DriverPace;
  /** Longest time to wait, in milliseconds. */
  readonly withinMs: number;
  /** Whether the status has named the request so far. */
  readonly isNamed: () => boolean;
}

/** Time between two checks, in milliseconds. Each check makes a handful of lists in one namespace. */
const EVERY_MS = 2_000;

/**
 * Checks repeatedly until everything is up to date, waiting cannot help, or the time is over. If the worker does not query the vault for
 * the class, only the pods know its newest version: until the driver's interval is over, some of them may not have checked. A check that
 * the API server could not answer is repeated. If this is the last one, the earlier progress counts, beginning with `before`.
 */
export async function waitForProgress(
  refreshing: Refreshing,
  before: RefreshProgress,
  { pace, withinMs, isNamed }: Waiting,
): Promise<RefreshProgress> {
  const { signal, terminal } = refreshing.context;
  const clock = monotonicClock(refreshing.context.clock);
  const began = clock.now();
  const filesFollow = pace.kind === "republish" || pace.kind === "timer";
  for (let last = before; ; ) {
    const checked = await refreshProgress(refreshing, isNamed()).catch(failureOf);
    const waited = clock.now() - began;
    const isOver = waited >= withinMs;
    if (checked instanceof CommandFailure) {
      if (isOver)
        return { ...last, isUpToDate: false, timedOutMs: withinMs, unseen: [...last.unseen, `the last check failed: ${checked.message}`] };
    } else {
      const { answer, pods } = checked;
      const isKnown = answer.kind !== "none" || pods.length === 0 || !filesFollow || waited >= pace.atMostMs;
      const isUpToDate = checked.isUpToDate && isKnown;
      const isDone = isFinal(answer) || (filesFollow ? isUpToDate : isFetchedWell(answer));
      if (isDone) return { ...checked, isUpToDate };
      if (isOver) return { ...checked, isUpToDate, timedOutMs: withinMs };
      last = checked;
    }
    terminal.reportProgress(isFetchedWell(last.answer) ? "mounted files" : "the worker");
    await clock.sleep(Math.min(EVERY_MS, withinMs - waited), signal);
  }
}

/** Returns the failure of a check that the API server could not answer. */
function failureOf(error: unknown): CommandFailure {
  if (isUnansweredFailure(error)) return error;
  throw error;
}
