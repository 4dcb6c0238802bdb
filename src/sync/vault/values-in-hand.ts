import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import { MAX_VALUE_BYTES } from "../../domain/provider-class/class-limits.ts";
import { FairSlots, type HeldSlots } from "../../runtime/fair-slots.ts";

/** Bytes that each class gets first. Nearly every class fits into them. */
const STEP_BYTES = 262_144;
/** 64 MiB for the values of all classes in hand. Each value is in memory twice while the worker sends its Secret. */
const STEPS = 256;
const MOST_STEPS = MAX_VALUE_BYTES / STEP_BYTES;
/** Factor by which a class that starts again asks for more, so that it starts again two or three times at most. */
const GROWTH = 4;

interface InHand {
  readonly slots: HeldSlots;
  steps: number;
}

/**
 * Room for the values of all classes in hand, in which namespaces take turns. If a class needs more and does not get it at once, it returns
 * its room before it waits: no class has room while it waits for more.
 */
export class ValuesInHand {
  readonly #slots = new FairSlots(STEPS);
  readonly #inHand = new Map<string, InHand>();
  /** Steps that the class, as it is, took last time. */
  readonly #known = new WeakMap<SecretProviderClass, number>();

  /**
   * Fetches the values of the class within its room. `fetch` gets a function that returns whether the class may have so many bytes in
   * total. If not, `fetch` ends, and is called again once there is more room. The class has the room until `end`.
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

  /** Releases the room of the class. Call this when the class's reconcile is over, however it ended. */
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
