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

/** An answer that comes sooner is the one write of its edit (milliseconds). */
export const WORTH_TELLING_MS = 500;

export type ClassChange = Pick<Change<HeldClass>, "previous" | "current">;

/**
 * Classes whose status calls them ready as they were before, and since when. An edit may come while the class is looked at, or wait for a
 * worker behind others of its vault, or for the vault: whoever waits for `Ready` does not get the answer to the edit before all that time.
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

  /** To be told of every change of a class. */
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
    // An earlier edit that has no answer either counts from its own time.
    if (this.#since.has(key) && previous !== undefined && this.#isReadyOutdated(previous)) return;
    this.#since.set(key, this.#now());
    this.#onEdit(key);
  }

  end(classKey: string): void {
    this.#since.delete(classKey);
  }

  /** Milliseconds until it is worth telling; undefined where the class has no edit without an answer. */
  dueIn(classKey: string): number | undefined {
    const since = this.#since.get(classKey);
    return since === undefined ? undefined : Math.max(0, since + WORTH_TELLING_MS - this.#now());
  }

  keys(): Iterable<string> {
    return this.#since.keys();
  }

  /** Is told of each edit, those before included. */
  observe(onEdit: (classKey: string) => void): void {
    this.#onEdit = onEdit;
    for (const key of this.keys()) onEdit(key);
  }
}

/** The class as it is to be mirrored now; undefined where nobody asks a vault for it. */
export function mirroredNow(mirroring: Mirroring, provider: HeldClass): ClassNow | undefined {
  if (provider.excess !== undefined || !isOurs(provider) || secretObjectsOf(provider).length === 0) return undefined;
  if (!isMirrored(mirroring, provider)) return undefined;
  return { generation: provider.metadata.generation ?? 0, specHashes: specHashes(provider) };
}

/** Where the statuses have not been listed yet nobody knows. */
export function mayBeOutdated(
  mirroring: Mirroring,
  statuses: Pick<StatusStore, "get" | "hasSynced" | "isUnserved">,
  provider: HeldClass,
): boolean {
  const now = mirroredNow(mirroring, provider);
  if (now === undefined) return false;
  const told = statuses.get(refOf(provider));
  return told === undefined ? !(statuses.hasSynced || statuses.isUnserved) : isReadyOutdated(told, now);
}

interface EditPorts {
  readonly caches: Mirroring & { readonly classes: Pick<HeldClasses, "get">; readonly statuses: StatusStore };
  readonly clock: Clock;
  readonly enqueue: (classKey: string) => void;
}

/** Says in the class's status that nobody knows yet whether it is ready as it is now. */
export async function takeReadyBack({ caches, clock, enqueue }: EditPorts, provider: HeldClass, signal: AbortSignal): Promise<void> {
  const ref = refOf(provider);
  const change = (told: ClassStatus | undefined): ClassStatus | undefined => {
    const current = caches.classes.get(ref);
    const now = current && mirroredNow(caches, current);
    return now && takenBack(told, now, clock.now());
  };
  await caches.statuses.update(ref, change, signal);
  // Whatever is under way: what was taken back is owed an answer.
  enqueue(keyOf(provider));
}
