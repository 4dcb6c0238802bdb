import { afterRepair, contestedUntil, NO_REPAIRS, paceRepair, type Repairs } from "../../domain/schedule/repair-pace.ts";
import { copyKey, type PlannedCopy } from "../../domain/sync/copies/copies-plan.ts";
import type { CopySource } from "../../domain/sync/copies/copy-plan.ts";

interface Remembered {
  /** Mark of the content that was written last. */
  readonly mark: string;
  readonly repairs: Repairs;
}

/** Counts the writes of each copy without new content. If someone undoes them, the worker does not repeat them at the API server's speed. */
export class CopyPace {
  /** By class (`namespace/name`) and copy. */
  readonly #byClass = new Map<string, Map<string, Remembered>>();

  /** Milliseconds before the copy may be written. New content never waits. */
  pauseBefore({ source, namespace }: PlannedCopy, now: number): number {
    const remembered = this.#get(source, namespace);
    if (remembered?.mark !== source.mark) return 0;
    const { repairs, pauseMs } = paceRepair(remembered.repairs, now);
    this.#set(source, namespace, { ...remembered, repairs });
    return pauseMs;
  }

  noteWrite({ source, namespace }: PlannedCopy, now: number): void {
    const remembered = this.#get(source, namespace);
    const repairs = remembered?.mark === source.mark ? afterRepair(remembered.repairs, now) : NO_REPAIRS;
    this.#set(source, namespace, { mark: source.mark, repairs });
  }

  /** Milliseconds for which the copy still counts as contested; undefined if it does not. */
  contestedFor({ source, namespace }: PlannedCopy, now: number): number | undefined {
    const remembered = this.#get(source, namespace);
    const until = remembered === undefined ? undefined : contestedUntil(remembered.repairs, now);
    return until === undefined ? undefined : until - now;
  }

  /** Call this when the copy is correct: damage that waited for its repair is gone by itself. */
  noteRight({ source, namespace }: PlannedCopy): void {
    const remembered = this.#get(source, namespace);
    if (remembered !== undefined) this.#set(source, namespace, { ...remembered, repairs: { ...remembered.repairs, seen: undefined } });
  }

  /** Whether copies of the class (`namespace/name`) are remembered. */
  has(classKey: string): boolean {
    return this.#byClass.has(classKey);
  }

  /** Forgets all other copies of the class (`namespace/name`) than these, because it writes no others. */
  keep(classKey: string, planned: readonly PlannedCopy[]): void {
    const ofClass = this.#byClass.get(classKey);
    if (ofClass === undefined) return;
    const kept = new Set(planned.map(({ source, namespace }) => copyKey(namespace, source)));
    for (const key of ofClass.keys()) if (!kept.has(key)) ofClass.delete(key);
    if (ofClass.size === 0) this.#byClass.delete(classKey);
  }

  #get(source: CopySource, namespace: string): Remembered | undefined {
    return this.#byClass.get(source.classKey)?.get(copyKey(namespace, source));
  }

  #set(source: CopySource, namespace: string, remembered: Remembered): void {
    const ofClass = this.#byClass.get(source.classKey) ?? new Map<string, Remembered>();
    this.#byClass.set(source.classKey, ofClass.set(copyKey(namespace, source), remembered));
  }
}
