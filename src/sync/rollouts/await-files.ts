import { type FilesOfPod, hasOldMount, hasOtherMount, podsBehind, podsUndecided } from "../../domain/rollout/mounted-files.ts";
import type { MountedClass } from "../../domain/rollout/mounted-versions.ts";
import type { Due } from "../../domain/rollout/namespace-plan.ts";
import type { OldBefore } from "../../domain/rollout/old-before.ts";
import { type AgingPod, hasOldPod } from "../../domain/rollout/pod-age.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import { titleOf, type Workload } from "../../domain/rollout/workload.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import { rfc3339 } from "../../domain/sync/stored-time.ts";
import type { AskingWorkload } from "./asking.ts";
import type { RolloutContext } from "./rollout-context.ts";
import type { Trouble } from "./rollout-memory.ts";
import { hasOldPods, podsFor } from "./rollout-write.ts";

const MAX_SHOWN = 5;

/** Conditions for old pods, and the hash of the versions that they lack. */
type Candidate = OldBefore & { readonly stamp: string };

/** Whether pods with old versions run, according to their age or the driver's records. A text says why this is not known. */
export async function hasOldVersions(
  context: RolloutContext,
  { workload, versions }: AskingWorkload,
  candidate: Candidate,
  signal: AbortSignal,
): Promise<boolean | string> {
  const classes = versions.kind === "known" ? (versions.mounted ?? []) : [];
  if (classes.length > 0) return hasOldMounted(context, { workload, classes, ...candidate }, signal);
  const old = await hasOldPods(context.writer, { workload, ...candidate }, signal);
  return old.ok ? old.value : unseen(old.error);
}

interface Mounted extends Candidate {
  readonly workload: Workload;
  readonly classes: readonly MountedClass[];
}

/** The result of a pod list counts until the workload, or a record of its namespace, changes. */
async function hasOldMounted(
  { worker, writer, versions: { records } }: RolloutContext,
  { workload, classes, stamp, since, byMount }: Mounted,
  signal: AbortSignal,
): Promise<boolean | string> {
  const problem = records.problem();
  const known = writer.memory.of(workload);
  const byAge = `${stamp} ${since} ${workload.resourceVersion}`;
  const byMounts = `${byAge} ${byMount === true} ${classes.map((each) => each.since).join()} ${records.changesIn(workload.ref.namespace)}`;
  if (known.oldPods?.of === byAge && known.oldPods.has) return true;
  if (problem === undefined && known.oldMounts?.of === byMounts) return known.oldMounts.has;
  const pods = await podsFor(writer, workload, signal);
  if (!pods.ok) return unseen(pods.error);
  known.oldPods = { of: byAge, has: hasOldPod(pods.value, since) };
  if (known.oldPods.has) return true;
  if (problem !== undefined) return problem;
  const filesOf = records.filesIn(workload.ref.namespace);
  const has = haveOldMounts(pods.value, { classes, byMount: byMount === true, filesOf, now: worker.clock.now() });
  if (typeof has === "boolean") known.oldMounts = { of: byMounts, has };
  return has;
}

interface Mounts {
  readonly classes: readonly MountedClass[];
  /** Whether mounts that are older than the versions count, too. */
  readonly byMount: boolean;
  readonly filesOf: FilesOfPod;
  /** Unix milliseconds. */
  readonly now: number;
}

function haveOldMounts(pods: readonly AgingPod[], { classes, byMount, filesOf, now }: Mounts): boolean | string {
  if (hasOtherMount(pods, classes, filesOf) || (byMount && hasOldMount(pods, classes, filesOf))) return true;
  const undecided = podsUndecided(pods, { classes, filesOf, now });
  return undecided.length > 0 && `pods have not yet mounted versions that are this new: ${shownNames(undecided, MAX_SHOWN)}`;
}

/**
 * Makes a workload wait whose restart is due and that only mounts some of its classes, until the driver has updated the files of its pods.
 * After that, every node that the pods run on can have the new versions, and a container that restarts on its own starts with them, too.
 * The wait ends after a grace period, because a new pod mounts what the vault then has. If the driver does not rotate, files never change.
 */
export async function withFiles(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  const { versions, standing } = each;
  const mounted = versions.kind === "known" ? (versions.mounted ?? []) : [];
  const waits =
    standing.kind === "due" && mounted.length > 0 ? await filesAwaited(context, { ...each, standing }, mounted, signal) : undefined;
  return waits === undefined ? each : { ...each, standing: waits };
}

async function filesAwaited(
  { worker, writer, versions: { records }, settings }: RolloutContext,
  { workload, standing: { stamp }, isUnderWay = false }: AskingWorkload & Due,
  mounted: readonly MountedClass[],
  signal: AbortSignal,
): Promise<Standing | undefined> {
  const waiting = { kind: "awaitingFiles", isUnfinished: isUnderWay } as const;
  const problem = records.problem();
  if (problem !== undefined) {
    const message = `${titleOf(workload)} is not restarted because the versions of the files in its pods cannot be determined: ${problem}`;
    return { ...waiting, message, until: undefined };
  }
  const until = latestOf(mounted) + settings.filesGraceMs;
  if (worker.clock.now() >= until) return undefined;
  const { namespace } = workload.ref;
  const known = writer.memory.of(workload);
  const of = `${stamp} ${until} ${workload.resourceVersion} ${records.changesIn(namespace)}`;
  if (known.filesWait?.of !== of) {
    const pods = await podsFor(writer, workload, signal);
    if (!pods.ok) return { kind: "unknown", why: unseen(pods.error) };
    const behind = podsBehind(pods.value, mounted, records.filesIn(namespace));
    known.filesWait = { of, message: behind.length === 0 ? undefined : waitOf(workload, { mounted, behind, until }) };
  }
  const { message } = known.filesWait;
  return message === undefined ? undefined : { ...waiting, message, until };
}

/** Returns why the worker concludes nothing about the pods of a workload. */
function unseen({ why }: Trouble): string {
  return `its pods cannot be listed: ${why}`;
}

function latestOf(mounted: readonly MountedClass[]): number {
  return mounted.reduce((latest, { since }) => Math.max(latest, since), 0);
}

interface Wait {
  readonly mounted: readonly MountedClass[];
  readonly behind: readonly string[];
  readonly until: number;
}

function waitOf(workload: Workload, { mounted, behind, until }: Wait): string {
  const classes = mounted.map(({ className }) => className).join(", ");
  const pods = shownNames(behind, MAX_SHOWN);
  return `${titleOf(workload)} will restart after its mounted files are updated, or at ${rfc3339(until)} at the latest. In ${behind.length} of its pods, the files of ${classes} do not match the versions in the vault: ${pods}`;
}
