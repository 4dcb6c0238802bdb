import type { Standing } from "../../domain/rollout/standing.ts";
import type { Workload } from "../../domain/rollout/workload.ts";

/** What this process knows of one workload beyond what is stored. Losing it costs time, never a second restart. */
interface WorkloadMemory {
  /** The stamp that its versions make, and since when (Unix milliseconds). */
  wanted: { readonly stamp: string; readonly since: number } | undefined;
  /** Its progress, and since when it is so. */
  progress: { readonly signature: string; readonly since: number } | undefined;
  /** As our last write returned it; counts until the watch shows something newer than `basedOn`. */
  written: { readonly basedOn: string; readonly workload: Workload } | undefined;
  /** Whether it has old pods, for a stamp at a resourceVersion. */
  oldPods: { readonly of: string; readonly has: boolean } | undefined;
  told: Standing["kind"] | undefined;
}

export class RolloutMemory {
  readonly #byUid = new Map<string, WorkloadMemory>();

  of({ uid }: Pick<Workload, "uid">): WorkloadMemory {
    const known = this.#byUid.get(uid);
    if (known !== undefined) return known;
    const memory: WorkloadMemory = { wanted: undefined, progress: undefined, written: undefined, oldPods: undefined, told: undefined };
    this.#byUid.set(uid, memory);
    return memory;
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
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

  /** Milliseconds since its progress last changed. */
  stalledFor(workload: Workload, now: number): number {
    const memory = this.of(workload);
    const signature = `${workload.templateStamp ?? ""} ${workload.progress.signature}`;
    if (memory.progress?.signature !== signature) memory.progress = { signature, since: now };
    return now - memory.progress.since;
  }
}
