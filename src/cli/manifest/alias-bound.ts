/** Limit for the share of a document that aliases produce. It is kubectl's own limit, so that this program accepts what kubectl accepts. */

/** Number of steps in which kubectl's library decodes a small document, and a large one. */
const SMALL = 400_000;
const LARGE = 4_000_000;
/** Share of the steps that aliases may take in a small document, and in a large one. */
const SMALL_SHARE = 0.99;
const LARGE_SHARE = 0.1;
/** Up to these numbers of steps, nothing is rejected. */
const MIN_STEPS = 1_000;
const MIN_ALIAS_STEPS = 100;

export class AliasBound {
  /** Includes one step for the document itself. */
  #steps = 1;
  #aliasSteps = 0;

  /** Counts more steps, of which an alias takes `aliasSteps`. Returns whether the document is still within the limit. */
  take(steps: number, aliasSteps = 0): boolean {
    this.#steps += steps;
    this.#aliasSteps += aliasSteps;
    if (this.#aliasSteps <= MIN_ALIAS_STEPS || this.#steps <= MIN_STEPS) return true;
    const size = Math.min(1, Math.max(0, (this.#steps - SMALL) / (LARGE - SMALL)));
    return this.#aliasSteps / this.#steps <= SMALL_SHARE - (SMALL_SHARE - LARGE_SHARE) * size;
  }
}
