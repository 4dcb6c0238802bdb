import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import { MAX_VALUE_BYTES } from "../../domain/provider-class/class-limits.ts";
import { FairSlots, type HeldSlots } from "../../runtime/fair-slots.ts";

/** What nearly every class fits into: each has it first (bytes). */
const STEP_BYTES = 262_144;
/** 64 MiB for the values of all classes in hand: each is there twice for a while, beside its Secret as it is sent. */
const STEPS = 256;
const MOST_STEPS = MAX_VALUE_BYTES / STEP_BYTES;
/** One that has to begin anew asks for so many times more, so that this happens twice or thrice at most. */
const GROWTH = 4;

interface InHand {
  readonly slots: HeldSlots;
  steps: number;
}

/**
 * Bytes of values that the classes in hand may have together, which namespaces share by turns. A class that needs more than it has, and gets
 * no more at once, gives back what it has before it waits: nobody waits for room and holds some.
 */
export class ValuesInHand {
  readonly #slots = new FairSlots(STEPS);
  readonly #inHand = new Map<string, InHand>();
  /** Steps that a class took the last time, as it is. */
  readonly #known = new WeakMap<SecretProviderClass, number>();

  /**
   * Has the class's values fetched in its room. `fetch` is told whether it may have so many bytes, all together; where not it ends, and is
   * called again once there is more room. What it got stays in hand until `end`.
   */
  async fetch<T extends { readonly isCutShort: boolean }>(
    provider: SecretProviderClass,
    fetch: (hasRoom: (bytes: number) => boolean) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const key = objectKey(provider.metadata);
    for (let steps = this.#known.get(provider) ?? 1; ; steps = Math.min(steps * GROWTH, MOST_STEPS)) {
      this.end(key);
      const slots = await this.#slots.take({ tenant: provider.metadata.namespace ?? "", size: steps }, signal);
      const held: InHand = { slots, steps };
      this.#inHand.set(key, held);
      let needed = 1;
      const fetched = await fetch((bytes) => {
        needed = Math.min(Math.ceil(bytes / STEP_BYTES), MOST_STEPS);
        return hasRoom(held, needed);
      });
      if (!fetched.isCutShort) {
        this.#known.set(provider, needed);
        return fetched;
      }
      steps = Math.max(steps, held.steps);
    }
  }

  /** To be called when the class's reconcile is over, however it ended. */
  end(classKey: string): void {
    this.#inHand.get(classKey)?.slots.release();
    this.#inHand.delete(classKey);
  }
}

function hasRoom(held: InHand, steps: number): boolean {
  if (steps <= held.steps) return true;
  if (!held.slots.grow(steps)) return false;
  held.steps = steps;
  return true;
}
