import { refOfKey } from "../domain/object-key.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import { tenantHasRoom } from "../domain/schedule/fair-share.ts";

/** The worker holds an object of at most this size in any case (bytes). */
const SMALL_BYTES = 32_768;
/** Bytes for the larger objects of one namespace, for each kind. */
export const NAMESPACE_BYTES = 16_777_216;
/**
 * Bytes for the larger classes of all namespaces: a fifth of the container's memory. The snapshots of the classes may take as much again.
 */
export const ALL_CLASSES_BYTES = 100_663_296;
/** Bytes for the larger statuses of all namespaces. */
export const ALL_STATUSES_BYTES = 67_108_864;
/**
 * Bytes for the larger Secrets of all namespaces, and the same for their copies: names of keys, labels, annotations, and no values. Secrets
 * without a proof that they are the worker's own have separate room.
 */
export const ALL_SECRETS_BYTES = 33_554_432;
export const ALL_UNPROVEN_SECRETS_BYTES = 16_777_216;
/** Bytes that a namespace has whatever the others have taken. No one creates namespaces without end. */
const FLOOR_BYTES = 524_288;
/**
 * Part of its size by which an object can grow and keep its room: an annotation, or an entry of `managedFields`, does not make a new
 * object.
 */
const GROWTH = 1 / 16;

/** Size of an object that has room or waits for it. */
export interface Claim {
  readonly uid: string;
  readonly bytes: number;
}

export interface RoomOptions {
  /** Bytes for the larger objects of all namespaces. */
  readonly allBytes: number;
  /** Called with the key (`namespace/name`) of an object that has waited and now has room. */
  readonly onRoom: ((key: string) => void) | "nobodyWaits";
}

/**
 * Room for large classes, statuses or Secrets. It limits each namespace, which also gets no more of the whole than it leaves to the others.
 * An object with room keeps it while it does not grow, whatever others have taken since. Freed room goes to the waiting objects, in the
 * order in which they came. If the worker did not see the deletion of a recreated object, the new object keeps the room, or the place in
 * line, of its name.
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

  /** Returns whether the object has room at its current size. Otherwise the object waits, unless this room lets no object wait. */
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

  /**
   * Call this if the object is gone, or if the worker does not hold it for another reason. `uid`: only the object with this uid is gone;
   * another one of the same name may exist.
   */
  leave(key: string, uid?: string): void {
    const isMeant = (claim: Claim | undefined): boolean => uid === undefined || claim?.uid === uid;
    if (isMeant(this.#waiting.get(key))) this.#waiting.delete(key);
    if (isMeant(this.#held.get(key)) && this.#takeBack(key) > 0) this.#handOut();
  }

  /**
   * Takes back the room of objects that no longer exist: an interrupted list contained them, and the next list did not. `within`: the
   * listed namespace, to whose objects this applies; undefined for all namespaces.
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

  /**
   * Keeps the room if the object has grown only a little. `before`: bytes that it had. Growth counts from the size that was last granted,
   * so that it does not add up.
   */
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

  /** Returns the bytes that the object had. */
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
