import { refOfKey } from "../../domain/object-key.ts";
import { tenantHasRoom } from "../../domain/schedule/fair-share.ts";

/** What takes no more is held in any case (bytes). */
const SMALL_BYTES = 32_768;
/** For the larger classes, or the larger statuses, of one namespace. */
export const NAMESPACE_BYTES = 16_777_216;
/** For the larger classes of all: a fifth of the container's memory. A class's snapshot may take as much again. */
const ALL_CLASSES_BYTES = 100_663_296;
/** For the larger statuses of all. */
export const ALL_STATUSES_BYTES = 67_108_864;
/** A namespace has so many whatever the others have taken: nobody makes namespaces without end. */
const FLOOR_BYTES = 524_288;
/** A class may grow by this part of what it was given, and keeps its room: an annotation, or an entry of `managedFields`, is no new class. */
const GROWTH = 1 / 16;

/** What an object takes, or waits for. */
export interface Claim {
  readonly uid: string;
  readonly bytes: number;
}

/**
 * Room for large classes, and for their large statuses: what one namespace may have, and of the whole no more than it leaves to the others. Who has room keeps it while it
 * does not grow, whatever others have taken since. What becomes free goes to those that wait, in the order in which they came. A class that was
 * deleted and made anew keeps the room, or the place, of its name where nobody saw it go.
 */
export class ClassRoom {
  readonly #onRoom: (classKey: string) => void;
  readonly #allBytes: number;
  readonly #held = new Map<string, Claim>();
  readonly #waiting = new Map<string, Claim>();
  readonly #byNamespace = new Map<string, number>();
  #all = 0;

  /** `onRoom` hears of a class that has waited, and has its room now. */
  constructor(onRoom: (classKey: string) => void, allBytes: number = ALL_CLASSES_BYTES) {
    this.#onRoom = onRoom;
    this.#allBytes = allBytes;
  }

  /** Whether the class, as it is now, has room. Otherwise it waits. */
  take(classKey: string, claim: Claim): boolean {
    const before = this.#takeBack(classKey);
    const hasRoom = this.#keep(classKey, claim, before) || this.#hold(classKey, claim);
    if (!hasRoom) this.#waiting.set(classKey, claim);
    else this.#waiting.delete(classKey);
    if (before > (this.#held.get(classKey)?.bytes ?? 0)) this.#handOut();
    return hasRoom;
  }

  has(classKey: string): boolean {
    return this.#held.has(classKey);
  }

  /** The class is gone, or is not held for a reason of its own. `uid`: only this object of the name is gone; another may have come. */
  leave(classKey: string, uid?: string): void {
    const isMeant = (claim: Claim | undefined): boolean => uid === undefined || claim?.uid === uid;
    if (isMeant(this.#waiting.get(classKey))) this.#waiting.delete(classKey);
    if (isMeant(this.#held.get(classKey)) && this.#takeBack(classKey) > 0) this.#handOut();
  }

  /** Takes back what classes have that are nowhere any more: a list that broke off has shown them, and the next one did not. */
  keepOnly(isThere: (classKey: string) => boolean): void {
    for (const classKey of [...this.#held.keys(), ...this.#waiting.keys()]) if (!isThere(classKey)) this.leave(classKey);
  }

  #handOut(): void {
    for (const [classKey, claim] of this.#waiting) {
      if (!this.#hold(classKey, claim)) continue;
      this.#waiting.delete(classKey);
      this.#onRoom(classKey);
    }
  }

  /** `before`: bytes that it had. Growth counts from what was given last, so that it does not add up. */
  #keep(classKey: string, { uid, bytes }: Claim, before: number): boolean {
    if (bytes <= SMALL_BYTES || bytes > before + before * GROWTH) return false;
    this.#record(classKey, { uid, bytes: Math.min(bytes, before) });
    return true;
  }

  #hold(classKey: string, claim: Claim): boolean {
    const { bytes } = claim;
    if (bytes <= SMALL_BYTES) return true;
    const { namespace } = refOfKey(classKey);
    const held = this.#byNamespace.get(namespace) ?? 0;
    if (held + bytes > NAMESPACE_BYTES) return false;
    if (held + bytes > FLOOR_BYTES && !tenantHasRoom(held, this.#allBytes - this.#all, bytes)) return false;
    this.#record(classKey, claim);
    return true;
  }

  #record(classKey: string, claim: Claim): void {
    this.#count(classKey, claim.bytes);
    this.#held.set(classKey, claim);
  }

  /** The bytes that it had. */
  #takeBack(classKey: string): number {
    const bytes = this.#held.get(classKey)?.bytes ?? 0;
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
