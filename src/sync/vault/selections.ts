import type { ObjectType } from "../../domain/provider-class/object-rules.ts";

/** Selector of one class for one type of object. */
export interface SelectedBy {
  readonly type: ObjectType;
  readonly tags: ReadonlyMap<string, string>;
}

/** Tags that selectors use, each with the selected values. */
export type SelectedTags = ReadonlyMap<string, ReadonlySet<string>>;

/** Ids of objects (`secret/name`), each with the time in Unix milliseconds at which the first list without the object was taken. */
type Absences = ReadonlyMap<string, number>;

/** Selectors of the classes that use the lists of one identity, and the objects of their Secrets that these lists no longer contain. */
export class Selections {
  readonly #selectors = new Map<string, readonly SelectedBy[]>();
  readonly #absences = new Map<string, Absences>();

  /** Records the selectors of the class in place of the earlier ones. An empty list removes the class. */
  note(classKey: string, selectors: readonly SelectedBy[]): void {
    if (selectors.length === 0) this.forget(classKey);
    else this.#selectors.set(classKey, selectors);
  }

  /** Returns the tags by which classes select objects of the type; undefined if no class does. */
  tagsOf(type: ObjectType): SelectedTags | undefined {
    const selectors = [...this.#selectors.values()].flat().filter((selector) => selector.type === type);
    if (selectors.length === 0) return undefined;
    const values = new Map<string, Set<string>>();
    for (const [tag, value] of selectors.flatMap(({ tags }) => [...tags])) values.set(tag, (values.get(tag) ?? new Set()).add(value));
    return values;
  }

  /**
   * Returns a function for one pass over the class, which checks whether an earlier list, too, was without an object. If the pass does not
   * call it for an object, the list has the object or no Secret contains it: its absence starts anew.
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
