/** Units of work of one job between two turns of the event loop: some milliseconds. */
const UNITS = 2_000;

/**
 * Lets everything else have its turn in the middle of a long job. Work is counted in units of about a microsecond, and not timed, so that a
 * job takes the same course each time.
 */
export class Breaths {
  #spent = 0;

  /** Call after each part of the job. */
  async spend(units: number): Promise<void> {
    this.#spent += units;
    if (this.#spent < UNITS) return;
    this.#spent = 0;
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
