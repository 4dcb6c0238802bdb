import type { ObjectType } from "../../domain/provider-class/object-rules.ts";

/** Objects by their ids (`secret/name`), and when the list was taken that was the first without them (Unix milliseconds). */
type Absences = ReadonlyMap<string, number>;

/** Which classes select objects from the lists of one identity, and which of what their Secrets hold these lists no longer have. */
export class Selections {
  readonly #types = new Map<string, ReadonlySet<ObjectType>>();
  readonly #absences = new Map<string, Absences>();

  /** In place of what the class selected before; nothing forgets it. */
  note(classKey: string, types: ReadonlySet<ObjectType>): void {
    if (types.size === 0) this.forget(classKey);
    else this.#types.set(classKey, types);
  }

  isSelectedBy(type: ObjectType): boolean {
    return [...this.#types.values()].some((types) => types.has(type));
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
    this.#types.delete(classKey);
    this.#absences.delete(classKey);
  }
}
