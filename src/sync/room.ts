import { refOfKey } from "../domain/object-key.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import { tenantHasRoom } from "../domain/schedule/fair-share.ts";

/** What takes no more is held in any case (bytes). */
const SMALL_BYTES = 32_768;
/** For the larger objects of one namespace, of each kind. */
export const NAMESPACE_BYTES = 16_777_216;
/** For the larger classes of all: a fifth of the container's memory. A class's snapshot may take as much again. */
export const ALL_CLASSES_BYTES = 100_663_296;
/** For the larger statuses of all. */
export const ALL_STATUSES_BYTES = 67_108_864;
/**
 * For what is held of the larger Secrets of all, and for that of their copies: names of keys, labels, annotations, and no values. Those that
 * nothing proves to be the worker's have a room of their own.
 */
export const ALL_SECRETS_BYTES = 33_554_432;
export const ALL_UNPROVEN_SECRETS_BYTES = 16_777_216;
/** A namespace has so many whatever the others have taken: nobody makes namespaces without end. */
const FLOOR_BYTES = 524_288;
/** An object may grow by this part of what it was given, and keeps its room: an annotation, or an entry of `managedFields`, is no new object. */
const GROWTH = 1 / 16;

/** What an object takes, or waits for. */
export interface Claim {
  readonly uid: string;
  readonly bytes: number;
}

export interface RoomOptions {
  /** For the larger objects of all namespaces. */
  readonly allBytes: number;
  /** Hears of an object (`namespace/name`) that has waited, and has its room now. */
  readonly onRoom: ((key: string) => void) | "nobodyWaits";
}

/**
 * Room for large classes, statuses or Secrets: what one namespace may have, and of the whole no more than it leaves to the others. Who has room
 * keeps it while it does not grow, whatever others have taken since. What becomes free goes to those that wait, in the order in which they came.
 * An object that was deleted and made anew keeps the room, or the place, of its name where nobody saw it go.
 */
export class Room {
  readonly #onRoom: RoomOptions["onRoom"];
  readonly #allBytes: number;
  readonly #held = new Map<string, Claim>();
  readonly #waiting = new Map<string, Claim>();
  readonly #byNamespace = new Map<string, number>();
  #all = 0;

  constructor({ allBytes, onRoom }: RoomOptions) {
    this.#onRoom = onRoom;
    this.#allBytes = allBytes;
  }

  /** Whether the object, as it is now, has room. Otherwise it waits, if anybody does. */
  take(key: string, claim: Claim): boolean {
    const before = this.#takeBack(key);
    const hasRoom = this.#keep(key, claim, before) || this.#hold(key, claim);
    if (!hasRoom && this.#onRoom !== "nobodyWaits") this.#waiting.set(key, claim);
    else this.#waiting.delete(key);
    if (before > (this.#held.get(key)?.bytes ?? 0)) this.#handOut();
    return hasRoom;
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** The object is gone, or is not held for a reason of its own. `uid`: only this object of the name is gone; another may have come. */
  leave(key: string, uid?: string): void {
    const isMeant = (claim: Claim | undefined): boolean => uid === undefined || claim?.uid === uid;
    if (isMeant(this.#waiting.get(key))) this.#waiting.delete(key);
    if (isMeant(this.#held.get(key)) && this.#takeBack(key) > 0) this.#handOut();
  }

  /**
   * Takes back what objects have that are nowhere any more: a list that broke off has shown them, and the next one did not. `within`: the
   * namespace that was listed, of whose objects alone that is known; undefined: all.
   */
  keepOnly(copy: Pick<Reflector<unknown>, "get">, within: string | undefined): void {
    for (const key of [...this.#held.keys(), ...this.#waiting.keys()]) {
      const ref = refOfKey(key);
      if ((within === undefined || within === ref.namespace) && copy.get(ref) === undefined) this.leave(key);
    }
  }

  #handOut(): void {
    for (const [key, claim] of this.#waiting) {
      if (!this.#hold(key, claim)) continue;
      this.#waiting.delete(key);
      if (this.#onRoom !== "nobodyWaits") this.#onRoom(key);
    }
  }

  /** `before`: bytes that it had. Growth counts from what was given last, so that it does not add up. */
  #keep(key: string, { uid, bytes }: Claim, before: number): boolean {
    if (bytes <= SMALL_BYTES || bytes > before + before * GROWTH) return false;
    this.#record(key, { uid, bytes: Math.min(bytes, before) });
    return true;
  }

  #hold(key: string, claim: Claim): boolean {
    const { bytes } = claim;
    if (bytes <= SMALL_BYTES) return true;
    const { namespace } = refOfKey(key);
    const held = this.#byNamespace.get(namespace) ?? 0;
    if (held + bytes > NAMESPACE_BYTES) return false;
    if (held + bytes > FLOOR_BYTES && !tenantHasRoom(held, this.#allBytes - this.#all, bytes)) return false;
    this.#record(key, claim);
    return true;
  }

  #record(key: string, claim: Claim): void {
    this.#count(key, claim.bytes);
    this.#held.set(key, claim);
  }

  /** The bytes that it had. */
  #takeBack(key: string): number {
    const bytes = this.#held.get(key)?.bytes ?? 0;
    if (this.#held.delete(key)) this.#count(key, -bytes);
    return bytes;
  }

  #count(key: string, bytes: number): void {
    const { namespace } = refOfKey(key);
    const held = (this.#byNamespace.get(namespace) ?? 0) + bytes;
    if (held > 0) this.#byNamespace.set(namespace, held);
    else this.#byNamespace.delete(namespace);
    this.#all += bytes;
  }
}
