import type { ObjectType } from "../../domain/provider-class/object-rules.ts";

/** What one class selects by, of one type of object. */
export interface SelectedBy {
  readonly type: ObjectType;
  readonly tags: ReadonlyMap<string, string>;
}

/** Tags that are selected by, each with the values that are asked for. */
export type SelectedTags = ReadonlyMap<string, ReadonlySet<string>>;

/** Objects by their ids (`secret/name`), and when the list was taken that was the first without them (Unix milliseconds). */
type Absences = ReadonlyMap<string, number>;

/** Which classes select objects from the lists of one identity, and which of what their Secrets hold these lists no longer have. */
export class Selections {
  readonly #selectors = new Map<string, readonly SelectedBy[]>();
  readonly #absences = new Map<string, Absences>();

  /** In place of what the class selected before; nothing forgets it. */
  note(classKey: string, selectors: readonly SelectedBy[]): void {
    if (selectors.length === 0) this.forget(classKey);
    else this.#selectors.set(classKey, selectors);
  }

  /** Undefined where nobody selects objects of the type. */
  tagsOf(type: ObjectType): SelectedTags | undefined {
    const selectors = [...this.#selectors.values()].flat().filter((selector) => selector.type === type);
    if (selectors.length === 0) return undefined;
    const values = new Map<string, Set<string>>();
    for (const [tag, value] of selectors.flatMap(({ tags }) => [...tags])) values.set(tag, (values.get(tag) ?? new Set()).add(value));
    return values;
  }

  /**
   * For one look at the class: whether the list before, too, was without an object. What nobody asks for this time is there, or held by
   * nothing, and begins anew.
   */
  absences(classKey: string): (objectId: string, takenAt: number) => boolean {
    const before = this.#absences.get(classKey);
    const now = new Map<string, number>();
    this.#absences.set(classKey, now);
    return (objectId, takenAt) => {
      const first = before?.get(objectId) ?? takenAt;
      now.set(objectId, first);
      return first < takenAt;
    };
  }

  forget(classKey: string): void {
    this.#selectors.delete(classKey);
    this.#absences.delete(classKey);
  }
}
