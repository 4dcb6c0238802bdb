import { refOfKey } from "../../domain/object-key.ts";
import { tenantHasRoom } from "../../domain/schedule/fair-share.ts";

/** A class that takes no more is held in any case (bytes). */
const SMALL_BYTES = 32_768;
/** For the larger classes of one namespace, and of all: a fifth of the container's memory. A class's snapshot may take as much again. */
export const NAMESPACE_BYTES = 16_777_216;
const ALL_BYTES = 100_663_296;
/** A namespace has so many whatever the others have taken: nobody makes namespaces without end. */
const FLOOR_BYTES = 524_288;

/**
 * Room for large classes: what one namespace may have, and of the whole no more than it leaves to the others. Who has room keeps it, and what
 * becomes free goes to those that wait, in the order in which they came.
 */
export class ClassRoom {
  readonly #onRoom: (classKey: string) => void;
  /** Bytes by class. */
  readonly #held = new Map<string, number>();
  readonly #waiting = new Map<string, number>();
  readonly #byNamespace = new Map<string, number>();
  #all = 0;

  /** `onRoom` hears of a class that has waited, and has its room now. */
  constructor(onRoom: (classKey: string) => void) {
    this.#onRoom = onRoom;
  }

  /** Whether the class, as it is now, has room. Otherwise it waits. */
  take(classKey: string, bytes: number): boolean {
    const before = this.#give(classKey);
    const hasRoom = this.#hold(classKey, bytes);
    if (!hasRoom) this.#waiting.set(classKey, bytes);
    else this.#waiting.delete(classKey);
    if (before > (this.#held.get(classKey) ?? 0)) this.#handOut();
    return hasRoom;
  }

  has(classKey: string): boolean {
    return this.#held.has(classKey);
  }

  /** The class is gone, or is not held for a reason of its own. */
  leave(classKey: string): void {
    this.#waiting.delete(classKey);
    if (this.#give(classKey) > 0) this.#handOut();
  }

  #handOut(): void {
    for (const [classKey, bytes] of this.#waiting) {
      if (!this.#hold(classKey, bytes)) continue;
      this.#waiting.delete(classKey);
      this.#onRoom(classKey);
    }
  }

  #hold(classKey: string, bytes: number): boolean {
    if (bytes <= SMALL_BYTES) return true;
    const { namespace } = refOfKey(classKey);
    const held = this.#byNamespace.get(namespace) ?? 0;
    if (held + bytes > NAMESPACE_BYTES) return false;
    if (held + bytes > FLOOR_BYTES && !tenantHasRoom(held, ALL_BYTES - this.#all, bytes)) return false;
    this.#count(classKey, bytes);
    this.#held.set(classKey, bytes);
    return true;
  }

  #give(classKey: string): number {
    const bytes = this.#held.get(classKey) ?? 0;
    if (this.#held.delete(classKey)) this.#count(classKey, -bytes);
    return bytes;
  }

  #count(classKey: string, bytes: number): void {
    const { namespace } = refOfKey(classKey);
    const held = (this.#byNamespace.get(namespace) ?? 0) + bytes;
    if (held > 0) this.#byNamespace.set(namespace, held);
    else this.#byNamespace.delete(namespace);
    this.#all += bytes;
  }
}
