import { createHash } from "node:crypto";
import { type ClassState, nextState, type StateEvent } from "./state.ts";

/** State of each class, by `namespace/name`. */
export class ClassStates {
  readonly #byKey = new Map<string, ClassState>();
  /** Digest of the last warning, by class and topic. */
  readonly #warnings = new Map<string, Readonly<Record<string, string>>>();

  get(key: string): ClassState | undefined {
    return this.#byKey.get(key);
  }

  /** All states, each with the key of its class. */
  list(): readonly (readonly [key: string, state: ClassState])[] {
    return [...this.#byKey];
  }

  /** Applies the event and returns the new state; undefined if the class is unknown. */
  note(key: string, event: StateEvent): ClassState | undefined {
    const state = nextState(this.#byKey.get(key), event);
    if (state !== undefined) this.#byKey.set(key, state);
    return state;
  }

  /** Drops the state, so that the next reconcile starts as at first sight. Warnings that were already reported are not reported again. */
  reset(key: string): void {
    this.#byKey.delete(key);
  }

  forget(key: string): void {
    this.#byKey.delete(key);
    this.#warnings.delete(key);
  }

  /** Remembers the warning for a topic and returns whether it is new. An empty message means that the problem is gone. */
  isNewWarning(key: string, topic: string, message: string): boolean {
    const before = this.#warnings.get(key);
    const digest = message === "" ? "" : createHash("sha256").update(message).digest("base64");
    if ((before?.[topic] ?? "") === digest) return false;
    this.#warnings.set(key, { ...before, [topic]: digest });
    return message !== "";
  }
}
