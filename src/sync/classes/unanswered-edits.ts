import { keyOf, refOf } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Change } from "../../domain/ports/kube-watcher.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { type ClassNow, isReadyOutdated, takenBack } from "../../domain/sync/class-answer.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { HeldClasses } from "./held-classes.ts";
import { isMirrored, type Mirroring } from "./observe.ts";
import { specHashes } from "./spec-hash.ts";
import type { StatusStore } from "./status-store.ts";

/** An answer that comes sooner is the only status write for its edit (milliseconds). */
export const WORTH_REPORTING_MS = 500;

export type ClassChange = Pick<Change<HeldClass>, "previous" | "current">;

/**
 * Classes whose status still reports them as ready from before an edit, and since when. An edit may arrive during a reconcile, or wait for
 * a handler behind other classes of its vault, or wait for the vault. A user who waits for `Ready` has no answer to the edit for all that
 * time.
 */
export class UnansweredEdits {
  readonly #isReadyOutdated: (provider: HeldClass) => boolean;
  readonly #now: () => number;
  /** Unix milliseconds, by class (`namespace/name`). */
  readonly #since = new Map<string, number>();
  #onEdit: (classKey: string) => void = () => undefined;

  constructor(isOutdated: (provider: HeldClass) => boolean, now: () => number) {
    this.#isReadyOutdated = isOutdated;
    this.#now = now;
  }

  /** Call this for every change of a class. */
  note({ previous, current }: ClassChange): void {
    if (current === undefined) {
      if (previous !== undefined) this.end(keyOf(previous));
      return;
    }
    const key = keyOf(current);
    if (!this.#isReadyOutdated(current)) {
      this.end(key);
      return;
    }
    // An earlier edit that is still unanswered keeps its own time.
    if (this.#since.has(key) && previous !== undefined && this.#isReadyOutdated(previous)) return;
    this.#since.set(key, this.#now());
    this.#onEdit(key);
  }

  end(classKey: string): void {
    this.#since.delete(classKey);
  }

  /** Milliseconds until the missing answer is worth a status write; undefined if the class has no unanswered edit. */
  dueIn(classKey: string): number | undefined {
    const since = this.#since.get(classKey);
    return since === undefined ? undefined : Math.max(0, since + WORTH_REPORTING_MS - this.#now());
  }

  keys(): Iterable<string> {
    return this.#since.keys();
  }

  /** Calls `onEdit` for each edit, including earlier ones. */
  observe(onEdit: (classKey: string) => void): void {
    this.#onEdit = onEdit;
    for (const key of this.keys()) onEdit(key);
  }
}

/** Returns the class as it has to be synced now; undefined if the worker syncs no Secret for it. */
export function mirroredNow(mirroring: Mirroring, provider: HeldClass): ClassNow | undefined {
  if (provider.excess !== undefined || !isOurs(provider) || secretObjectsOf(provider).length === 0) return undefined;
  if (!isMirrored(mirroring, provider)) return undefined;
  return { generation: provider.metadata.generation ?? 0, specHashes: specHashes(provider) };
}

/** Whether the status may report the class as ready from before an edit. True while the statuses are not listed, because they are then unknown. */
export function mayBeOutdated(
  mirroring: Mirroring,
  statuses: Pick<StatusStore, "get" | "hasSynced" | "isUnserved">,
  provider: HeldClass,
): boolean {
  const now = mirroredNow(mirroring, provider);
  if (now === undefined) return false;
  const reported = statuses.get(refOf(provider));
  return reported === undefined ? !(statuses.hasSynced || statuses.isUnserved) : isReadyOutdated(reported, now);
}

interface EditPorts {
  readonly caches: Mirroring & { readonly classes: Pick<HeldClasses, "get">; readonly statuses: StatusStore };
  readonly clock: Clock;
  readonly enqueue: (classKey: string) => void;
}

/** Withdraws `Ready` in the class's status while it is unknown whether the class is ready as it is now. */
export async function takeReadyBack({ caches, clock, enqueue }: EditPorts, provider: HeldClass, signal: AbortSignal): Promise<void> {
  const ref = refOf(provider);
  const change = (reported: ClassStatus | undefined): ClassStatus | undefined => {
    const current = caches.classes.get(ref);
    const now = current && mirroredNow(caches, current);
    return now && takenBack(reported, now, clock.now());
  };
  await caches.statuses.update(ref, change, signal);
  // Even if a reconcile is in progress, the withdrawn `Ready` needs an answer.
  enqueue(keyOf(provider));
}
