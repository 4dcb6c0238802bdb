import { MINUTE } from "../faults/fault.ts";
import type { World } from "../world/world.ts";
import type { Invariant, Violation } from "./invariant.ts";

/** Checks all invariants of a world from its start. */
export class Watching {
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #invariants: readonly Invariant[];
  readonly #haunt: (() => void) | undefined;

  /** `haunt`: called every simulated minute. */
  constructor(world: World, invariants: readonly Invariant[], haunt?: () => void) {
    this.#haunt = haunt;
    this.#world = world;
    this.#invariants = invariants;
    for (const { name, watch } of invariants) watch?.(world, (text) => this.#note(name, text));
    this.#everyMinute();
  }

  get isWell(): boolean {
    return this.violations.length === 0;
  }

  /** Call this after a long enough time without faults and without changes by people. */
  rest(): void {
    for (const { name, atRest } of this.#invariants) for (const text of atRest?.(this.#world) ?? []) this.#note(name, text);
  }

  #everyMinute(): void {
    this.#world.scheduler.schedule(MINUTE, () => {
      this.#haunt?.();
      for (const { name, check } of this.#invariants) for (const text of check?.(this.#world) ?? []) this.#note(name, text);
      this.#everyMinute();
    });
  }

  #note(invariant: string, text: string): void {
    this.violations.push({ at: this.#world.scheduler.now, invariant, text });
  }
}
