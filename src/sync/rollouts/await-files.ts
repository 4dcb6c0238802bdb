import { hasOldMount, hasOtherMount, podsBehind, podsUndecided } from "../../domain/rollout/mounted-files.ts";
import type { MountedClass } from "../../domain/rollout/mounted-versions.ts";
import type { OldBefore } from "../../domain/rollout/old-before.ts";
import { hasOldPod } from "../../domain/rollout/pod-age.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import { titleOf, type Workload } from "../../domain/rollout/workload.ts";
import { rfc3339 } from "../../domain/sync/class-status.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import { attempt, type Trouble } from "./own-requests.ts";
import type { Asking, RolloutContext } from "./rollout-namespace.ts";
import { hasOldPods, podsFor } from "./rollout-write.ts";

const MAX_SHOWN = 5;

/** For which versions, by their hash. */
type Candidate = OldBefore & { readonly stamp: string };

/** Whether pods run that have old versions, by their age or the driver's records; a text: why that cannot be told. */
export async function hasOldVersions(
  { worker, writer, records }: RolloutContext,
  { workload, versions }: Asking,
  { stamp, since, byMount }: Candidate,
  signal: AbortSignal,
): Promise<boolean | string> {
  const classes = versions.kind === "known" ? (versions.mounted ?? []) : [];
  if (classes.length === 0) return hasOldPods(writer, { workload, stamp, since }, signal);
  const pods = await podsFor(writer, workload, signal);
  if (hasOldPod(pods, since)) return true;
  const problem = records.problem();
  if (problem !== undefined) return problem;
  const filesOf = records.filesIn(workload.ref.namespace);
  if (hasOtherMount(pods, classes, filesOf) || (byMount === true && hasOldMount(pods, classes, filesOf))) return true;
  const undecided = podsUndecided(pods, { classes, filesOf, now: worker.clock.now() });
  return undecided.length > 0 && `pods have still to mount versions that are this new: ${shownNames(undecided, MAX_SHOWN)}`;
}

/**
 * Those that are to be restarted because of what they only mount wait until the driver has brought the files of their pods up to date: then
 * every node that they run on can have the new versions, and a container that restarts on its own starts with them, too. A new pod mounts
 * what the vault has then, so that after a time of grace the wait ends: where the driver does not rotate, files never change.
 */
export async function withFiles(context: RolloutContext, judged: readonly Asking[], signal: AbortSignal): Promise<readonly Asking[]> {
  const asking: Asking[] = [];
  for (const each of judged) {
    const { versions, standing } = each;
    const mounted = versions.kind === "known" ? (versions.mounted ?? []) : [];
    const waits = standing.kind === "due" && mounted.length > 0 ? await filesAwaited(context, each, mounted, signal) : undefined;
    asking.push(waits === undefined ? each : { ...each, standing: waits });
  }
  return asking;
}

async function filesAwaited(
  { worker, writer, records, settings }: RolloutContext,
  { workload, isUnderWay = false }: Asking,
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
  const pods = await attempt(writer, { workload, request: "list" }, () => podsFor(writer, workload, signal));
  if (!pods.ok) return { kind: "unknown", why: unseen(pods.error) };
  const behind = podsBehind(pods.value, mounted, records.filesIn(workload.ref.namespace));
  return behind.length === 0 ? undefined : { ...waiting, message: waitOf(workload, { mounted, behind, until }), until };
}

/** Why nothing is concluded about the pods of a workload. */
export function unseen({ why }: Trouble): string {
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
