import { afterRepair, contestedUntil, NO_REPAIRS, paceRepair, type Repairs } from "../../domain/schedule/repair-pace.ts";
import { copyKey, type PlannedCopy } from "../../domain/sync/copies/copies-plan.ts";

interface Remembered {
  /** Mark of the content that was written last. */
  readonly mark: string;
  readonly repairs: Repairs;
}

/** Counts the writes of each copy without new content. If someone undoes them, the worker does not repeat them at the API server's speed. */
export class CopyPace {
  readonly #copies = new Map<string, Remembered>();

  /** Milliseconds before the copy may be written. New content never waits. */
  pauseBefore({ source, namespace }: PlannedCopy, now: number): number {
    const key = copyKey(namespace, source);
    const remembered = this.#copies.get(key);
    if (remembered?.mark !== source.mark) return 0;
    const { repairs, pauseMs } = paceRepair(remembered.repairs, now);
    this.#copies.set(key, { ...remembered, repairs });
    return pauseMs;
  }

  noteWrite({ source, namespace }: PlannedCopy, now: number): void {
    const key = copyKey(namespace, source);
    const remembered = this.#copies.get(key);
    const repairs = remembered?.mark === source.mark ? afterRepair(remembered.repairs, now) : NO_REPAIRS;
    this.#copies.set(key, { mark: source.mark, repairs });
  }

  /** Milliseconds for which the copy still counts as contested; undefined if it does not. */
  contestedFor({ source, namespace }: PlannedCopy, now: number): number | undefined {
    const remembered = this.#copies.get(copyKey(namespace, source));
    const until = remembered === undefined ? undefined : contestedUntil(remembered.repairs, now);
    return until === undefined ? undefined : until - now;
  }

  /** Call this when the copy is correct: damage that waited for its repair is gone by itself. */
  noteRight({ source, namespace }: PlannedCopy): void {
    const key = copyKey(namespace, source);
    const remembered = this.#copies.get(key);
    if (remembered !== undefined) this.#copies.set(key, { ...remembered, repairs: { ...remembered.repairs, seen: undefined } });
  }

  /** `key`: `namespace/name` of a copy that no longer exists. */
  forget(key: string): void {
    this.#copies.delete(key);
  }
}
