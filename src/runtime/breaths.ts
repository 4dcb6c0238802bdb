import { setImmediate as nextTurn } from "node:timers/promises";

/** Units of work of one job between two turns of the event loop: a few milliseconds. */
const UNITS = 2_000;

/**
 * Gives all other work its turn in the middle of a long job. Work is counted in units of about a microsecond, not timed, so that a job
 * takes the same course each time.
 */
export class Breaths {
  readonly #breathe: () => Promise<void>;
  #spent = 0;

  /** `breathe` lets other work have its turn. */
  constructor(breathe: () => Promise<void> = nextTurn) {
    this.#breathe = breathe;
  }

  /** Call this after each part of the job. */
  async spend(units: number): Promise<void> {
    this.#spent += units;
    if (this.#spent < UNITS) return;
    this.#spent = 0;
    await this.#breathe();
  }
}
