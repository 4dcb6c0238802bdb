import type { Hold } from "../../domain/rollout/hold.ts";
import type { PodCounts } from "../../domain/rollout/observed-progress.ts";
import type { AgingPod } from "../../domain/rollout/pod-age.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import type { Steadiness } from "../../domain/rollout/steadiness.ts";
import type { Workload } from "../../domain/rollout/workload.ts";

/** State of one workload that this process remembers beyond what is stored. Losing it costs time, but never a second restart. */
interface WorkloadMemory {
  /** Stamp of its versions, and since when (Unix milliseconds). */
  wanted: { readonly stamp: string; readonly since: number } | undefined;
  /** Furthest progress of its rollout, and since when. */
  progress: Furthest | undefined;
  /** Readiness of all its pods, and since when this process knows of it. */
  steady: Steady | undefined;
  /** The workload as the worker's last write returned it; valid until the watch shows something newer than `basedOn`. */
  written: { readonly basedOn: string; readonly workload: Workload } | undefined;
  /** Whether it has old pods by their age, for a stamp at a resourceVersion. */
  oldPods: { readonly of: string; readonly has: boolean } | undefined;
  /** Whether it has old pods by their mounts, for the driver's records as they are. */
  oldMounts: { readonly of: string; readonly has: boolean } | undefined;
  /** Files for which its restart waits, for a stamp and the driver's records as they are. `message` is undefined if it waits for none. */
  filesWait: { readonly of: string; readonly message: string | undefined } | undefined;
  /** The last restart that the API server may or may not have stored. */
  unanswered: Unanswered | undefined;
  /** Its pods at a resourceVersion, if the worker has checked their mounts. */
  pods: { readonly of: string; readonly list: readonly AgingPod[] } | undefined;
  /** Sequence number of the last list of its pods among all pod lists of this process; 0 if there was none. */
  listed: number;
  /** The restart that this process last began, or found under way when it began to lead. Read it by {@link RolloutMemory.begunOf}. */
  begun: Begun | undefined;
  /** The restart that was under way before. It still is if the write of the last one failed. */
  begunBefore: Begun | undefined;
  /** Requests for this workload that failed at the last attempt. */
  readonly troubles: Map<OwnRequest, Trouble>;
  /** Why the API server or a policy rejected the last restart on which it gave a verdict; undefined if it accepted the restart. */
  rejected: string | undefined;
  /** Standing of the restart with that stamp when the worker last saw its pods, and the resourceVersion at that time. */
  proof: { readonly stamp: string; readonly at: string; readonly standing: Standing } | undefined;
  /** The hold that the API server showed last, while the live copy of the Namespace had these annotations. */
  heldNow: { readonly hold: Hold; readonly until: number; readonly defaults: Readonly<Record<string, string>> } | undefined;
  reported: Standing["kind"] | undefined;
  /** Reason for its wait, as last reported. */
  reportedWait: string | undefined;
  /** Reason why its restart cannot begin, as last reported. */
  reportedHold: string | undefined;
}

interface Begun {
  readonly stamp: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly adopted?: AdoptedRestart;
}

/** A restart that an earlier leader began. */
interface AdoptedRestart {
  /** Its pods when this process first saw it. */
  readonly counts: PodCounts;
  /** Whether that leader reported that a restart of the namespace had failed. */
  readonly hasFailed: boolean;
}

interface Unanswered {
  /** resourceVersion of the workload on which the request was based. */
  readonly basedOn: string;
  /** Whether the API server has not shown since whether it stored the restart. */
  readonly isOpen: boolean;
  /** Unix time in milliseconds from which the restart no longer counts as under way. Later requests on the same basis do not extend it. */
  readonly until: number;
}

/** Furthest progress of one rollout. `rollout`: the template's stamp and the workload's revision. */
interface Furthest {
  readonly rollout: string;
  readonly updated: number;
  readonly outdated: number;
  readonly available: number;
  readonly since: number;
}

/**
 * Readiness of the pods of one template as they report it, and when this process first saw it (Unix milliseconds by the worker's clock).
 */
interface Steady extends Steadiness {
  readonly since: number;
  readonly stamp: string;
  readonly seenAt: number;
}

export class RolloutMemory {
  readonly #byUid = new Map<string, WorkloadMemory>();
  /** By namespace. */
  readonly #inheritedHalts = new Map<string, boolean>();
  #lists = 0;
  #judgesSince: number | undefined;

  constructor(judgesSince?: number) {
    this.#judgesSince = judgesSince;
  }

  /** Call this whenever all workloads are listed. The first call counts. */
  noteJudging(now: number): void {
    this.#judgesSince ??= now;
  }

  /** Unix time in milliseconds since which this process judges workloads; undefined before it has listed them all. */
  get judgesSince(): number | undefined {
    return this.#judgesSince;
  }

  of({ uid }: Pick<Workload, "uid">): WorkloadMemory {
    const known = this.#byUid.get(uid);
    if (known !== undefined) return known;
    const memory: WorkloadMemory = {
      wanted: undefined,
      progress: undefined,
      steady: undefined,
      written: undefined,
      oldPods: undefined,
      oldMounts: undefined,
      filesWait: undefined,
      unanswered: undefined,
      pods: undefined,
      listed: 0,
      begun: undefined,
      begunBefore: undefined,
      troubles: new Map(),
      rejected: undefined,
      proof: undefined,
      heldNow: undefined,
      reported: undefined,
      reportedWait: undefined,
      reportedHold: undefined,
    };
    this.#byUid.set(uid, memory);
    return memory;
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }

  /**
   * Whether a restart that is not known halts the namespace. `isReported`: whether an earlier leader reported a failed or rejected
   * restart; asked once.
   */
  inheritsHalt(namespace: string, isReported: () => boolean): boolean {
    const isHalted = this.#inheritedHalts.get(namespace) ?? isReported();
    this.#inheritedHalts.set(namespace, isHalted);
    return isHalted;
  }

  /** Call this once the halting restart is known, or the API server has accepted a restart of this process. */
  endInheritedHalt({ ref: { namespace = "" } }: Workload): void {
    this.#inheritedHalts.set(namespace, false);
  }

  /** Notes a list of its pods. From now on, the pods of all other workloads come first. */
  noteList(workload: Workload): void {
    this.#lists += 1;
    this.of(workload).listed = this.#lists;
  }

  /**
   * Returns the result of the worker's own write if the watch lags behind it. The write was made on `basedOn`, so no other state can lie
   * between.
   */
  latest(watched: Workload): Workload {
    const memory = this.of(watched);
    if (memory.written?.basedOn === watched.resourceVersion) return memory.written.workload;
    memory.written = undefined;
    return watched;
  }

  /** Returns the time in milliseconds since the versions of the workload last changed. */
  settledFor(workload: Workload, stamp: string, now: number): number {
    const memory = this.of(workload);
    if (memory.wanted?.stamp !== stamp) memory.wanted = { stamp, since: now };
    return now - memory.wanted.since;
  }

  /**
   * Returns the time in milliseconds since its rollout last came further than ever before. Pods that become available again are not
   * progress, because they do so in every round of a crash loop.
   */
  stalledFor(workload: Workload, now: number): number {
    const { progress } = workload;
    const memory = this.of(workload);
    const rollout = rolloutOf(workload);
    const before = memory.progress?.rollout === rollout ? memory.progress : undefined;
    const furthest = furthestOf(progress.counts, before);
    const isAtRest = progress.isComplete && !isRestarted(workload);
    const hasMoved = before === undefined || isAtRest || isFurther(furthest, before);
    memory.progress = { rollout, ...furthest, since: hasMoved ? now : before.since };
    return now - memory.progress.since;
  }

  /** Notes since when (Unix milliseconds) its rollout has made no progress, although all of its pods may have been available. */
  noteStalled(workload: Workload, since: number): void {
    const { counts } = workload.progress;
    const furthest = furthestOf({ ...counts, available: counts.wanted }, undefined);
    this.of(workload).progress = { rollout: rolloutOf(workload), ...furthest, since };
  }

  /** Returns the restart whose stamp the template has, if this process began or adopted it. */
  begunOf(workload: Workload): Begun | undefined {
    const { begun, begunBefore } = this.of(workload);
    return [begun, begunBefore].find((each) => each !== undefined && each.stamp === workload.templateStamp);
  }

  /** Notes a restart before its write, whose answer may be lost: the stamp on the template then shows whether it has begun. */
  noteBeginning(workload: Workload, stamp: string, at: number): void {
    const memory = this.of(workload);
    memory.begunBefore = this.begunOf(workload);
    memory.begun = { stamp, at };
  }

  /** Returns the restart that an earlier leader began, until more of its pods are replaced than when this process first saw it. */
  inherited(workload: Workload): AdoptedRestart | undefined {
    const adopted = this.begunOf(workload)?.adopted;
    if (adopted === undefined) return undefined;
    const [before, now] = [adopted.counts, workload.progress.counts];
    const hasMoved = now.updated > before.updated || now.total - now.updated < before.total - before.updated;
    return hasMoved ? undefined : adopted;
  }

  /**
   * Returns since when its pods are ready, by the worker's clock. The pods report this by their node's clock, which may be behind by more
   * than the time that a restart has to prove. The time that counts is when this process first saw them ready, with as many container
   * restarts and no pod that became ready since.
   */
  steadyByOurClock(workload: Workload, found: Steadiness, now: number): Steadiness {
    const memory = this.of(workload);
    const { since, restarts } = found;
    if (since === undefined) {
      memory.steady = undefined;
      return found;
    }
    const { templateStamp: stamp = "" } = workload;
    const before = memory.steady?.stamp === stamp && memory.steady.restarts === restarts ? memory.steady : undefined;
    const seenAt = before !== undefined && since <= before.since ? before.seenAt : now;
    memory.steady = { since, restarts, stamp, seenAt };
    // Without pods, no node's clock can differ.
    return since === 0 ? found : { since: seenAt, restarts };
  }
}

function rolloutOf({ templateStamp = "", progress }: Workload): string {
  return `${templateStamp} ${progress.revision}`;
}

type Distance = Pick<Furthest, "updated" | "outdated" | "available">;

function furthestOf({ total, updated, available }: PodCounts, before: Distance | undefined): Distance {
  const outdated = total - updated;
  if (before === undefined) return { updated, outdated, available };
  return {
    updated: Math.max(updated, before.updated),
    outdated: Math.min(outdated, before.outdated),
    available: Math.max(available, before.available),
  };
}

function isFurther(now: Distance, before: Distance): boolean {
  return now.updated > before.updated || now.outdated < before.outdated || now.available > before.available;
}

/**
 * Requests that the worker makes for one workload: a list of its pods, a record on it, a read of what may hold its restart or
 * shows whether the restart has begun, and its restart.
 */
export type OwnRequest = "list" | "record" | "ask" | "restart";

/** A request for one workload that failed or was put off. */
export interface Trouble {
  /** Failures in a row; 0 if the worker did not make the request, because other workloads have their turn. */
  readonly failures: number;
  /** Unix time in milliseconds before which the worker does not repeat the request. */
  readonly until: number;
  readonly why: string;
  /**
   * resourceVersion of the workload for which the API server or a policy rejected the request; undefined if it was not rejected. An edit of
   * the workload may solve the problem.
   */
  readonly refusedAt: string | undefined;
}
