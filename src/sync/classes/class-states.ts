import { createHash } from "node:crypto";
import { type ClassState, nextState, type StateEvent } from "./state.ts";

/** What is known of each class, by `namespace/name`. */
export class ClassStates {
  readonly #byKey = new Map<string, ClassState>();
  /** Digests of messages, by class and topic. */
  readonly #warnings = new Map<string, Readonly<Record<string, string>>>();

  get(key: string): ClassState | undefined {
    return this.#byKey.get(key);
  }

  /** With the key of each class. */
  list(): readonly (readonly [key: string, state: ClassState])[] {
    return [...this.#byKey];
  }

  /** The state after the event; undefined where the class is not known. */
  note(key: string, event: StateEvent): ClassState | undefined {
    const state = nextState(this.#byKey.get(key), event);
    if (state !== undefined) this.#byKey.set(key, state);
    return state;
  }

  /** Met again, it is as at first sight; what was warned of is not warned of again. */
  reset(key: string): void {
    this.#byKey.delete(key);
  }

  forget(key: string): void {
    this.#byKey.delete(key);
    this.#warnings.delete(key);
  }

  /** Remembers what was warned of in a matter; an empty message says that nothing is wrong with it any more. */
  isNewWarning(key: string, topic: string, message: string): boolean {
    const before = this.#warnings.get(key);
    const digest = message === "" ? "" : createHash("sha256").update(message).digest("base64");
    if ((before?.[topic] ?? "") === digest) return false;
    this.#warnings.set(key, { ...before, [topic]: digest });
    return message !== "";
  }
}
