import type { Hold } from "../../domain/rollout/hold.ts";
import type { PodCounts } from "../../domain/rollout/observed-progress.ts";
import type { AgingPod } from "../../domain/rollout/pod-age.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import type { Steadiness } from "../../domain/rollout/steadiness.ts";
import type { Workload } from "../../domain/rollout/workload.ts";

/** What this process knows of one workload beyond what is stored. Losing it costs time, never a second restart. */
interface WorkloadMemory {
  /** The stamp that its versions make, and since when (Unix milliseconds). */
  wanted: { readonly stamp: string; readonly since: number } | undefined;
  /** How far its rollout has come at most, and since when. */
  progress: Furthest | undefined;
  /** All its pods are ready, and since when we know. */
  steady: Steady | undefined;
  /** As our last write returned it; counts until the watch shows something newer than `basedOn`. */
  written: { readonly basedOn: string; readonly workload: Workload } | undefined;
  /** Whether it has old pods by their age, for a stamp at a resourceVersion. */
  oldPods: { readonly of: string; readonly has: boolean } | undefined;
  /** The same by what its pods have mounted, for the driver's records as they are. */
  oldMounts: { readonly of: string; readonly has: boolean } | undefined;
  /** For which files its restart waits, for a stamp and the driver's records as they are; undefined: for none. */
  filesWait: { readonly of: string; readonly message: string | undefined } | undefined;
  /** Its pods at a resourceVersion, where their mounts have been looked at. */
  pods: { readonly of: string; readonly list: readonly AgingPod[] } | undefined;
  /** Which list of this process its pods were last asked for by; 0: none yet. */
  listed: number;
  /** The restart that this process began last, or found under way when it began to lead: its stamp, and when (Unix milliseconds). */
  begun: { readonly stamp: string; readonly at: number } | undefined;
  /** Requests because of it that did not come through at the last attempt. */
  readonly troubles: Map<OwnRequest, Trouble>;
  /** How the restart with that stamp stood by its pods when they were last seen, and at which resourceVersion. */
  proof: { readonly stamp: string; readonly at: string; readonly standing: Standing } | undefined;
  /** What the API server said last that keeps its restart from beginning, while the Namespace had these annotations in the copy. */
  heldNow: { readonly hold: Hold; readonly until: number; readonly defaults: Readonly<Record<string, string>> } | undefined;
  told: Standing["kind"] | undefined;
  /** What it waits for, as it was last told. */
  toldWait: string | undefined;
  /** What keeps its restart from beginning, as it was last told. */
  toldHold: string | undefined;
}

/** Of one rollout: the template's stamp and the workload's revision. */
interface Furthest {
  readonly rollout: string;
  readonly updated: number;
  readonly outdated: number;
  readonly available: number;
  readonly since: number;
}

/** Of the pods of one template: what they say, and when we first heard it (Unix milliseconds by our clock). */
interface Steady extends Steadiness {
  readonly since: number;
  readonly stamp: string;
  readonly seenAt: number;
}

export class RolloutMemory {
  /** Unix milliseconds: when this process began to look at workloads. */
  readonly leadsSince: number;
  readonly #byUid = new Map<string, WorkloadMemory>();
  #lists = 0;

  constructor(leadsSince = Number.NEGATIVE_INFINITY) {
    this.leadsSince = leadsSince;
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
      pods: undefined,
      listed: 0,
      begun: undefined,
      troubles: new Map(),
      proof: undefined,
      heldNow: undefined,
      told: undefined,
      toldWait: undefined,
      toldHold: undefined,
    };
    this.#byUid.set(uid, memory);
    return memory;
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }

  /** Its pods are asked for: those of all others come first from now on. */
  noteList(workload: Workload): void {
    this.#lists += 1;
    this.of(workload).listed = this.#lists;
  }

  /** Our own write where the watch lags behind it: the write was made on `basedOn`, so nothing can lie between. */
  latest(watched: Workload): Workload {
    const memory = this.of(watched);
    if (memory.written?.basedOn === watched.resourceVersion) return memory.written.workload;
    memory.written = undefined;
    return watched;
  }

  /** Milliseconds since the versions of the workload last changed. */
  settledFor(workload: Workload, stamp: string, now: number): number {
    const memory = this.of(workload);
    if (memory.wanted?.stamp !== stamp) memory.wanted = { stamp, since: now };
    return now - memory.wanted.since;
  }

  /**
   * Milliseconds since its rollout last came further than it ever was. Pods that become available again are no step forward: a crash loop has one
   * every time.
   */
  stalledFor(workload: Workload, now: number): number {
    const { progress, templateStamp } = workload;
    const memory = this.of(workload);
    const rollout = `${templateStamp ?? ""} ${progress.revision}`;
    const before = memory.progress?.rollout === rollout ? memory.progress : undefined;
    const furthest = furthestOf(progress.counts, before);
    const isAtRest = progress.isComplete && !isRestarted(workload);
    const hasMoved = before === undefined || isAtRest || isFurther(furthest, before);
    memory.progress = { rollout, ...furthest, since: hasMoved ? now : before.since };
    return now - memory.progress.since;
  }

  /**
   * Since when its pods are ready, by our clock. They say that by their node's, which may be behind ours by more than a restart has to prove: what
   * counts is when this process first saw them ready, with as many restarts and none that became ready since.
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
    // Without pods there is nobody whose clock could differ.
    return since === 0 ? found : { since: seenAt, restarts };
  }
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

/** Requests that the worker makes because of one workload: a list of its pods, a record on it, what may hold its restart, its restart. */
export type OwnRequest = "list" | "record" | "ask" | "restart";

/** Such a request did not come through. */
export interface Trouble {
  /** In a row; 0 where the request was not made, because others have their turn. */
  readonly failures: number;
  /** Unix milliseconds: it is not repeated before. */
  readonly until: number;
  readonly why: string;
  /** The resourceVersion of the workload that the API server, or somebody's policy, refused: an edit may mend it. Undefined: no refusal. */
  readonly refusedAt: string | undefined;
}
