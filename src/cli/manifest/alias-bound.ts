/** How much of a document may come from aliases: kubectl's own bound, so that what it takes is taken here. */

/** Steps in which kubectl's library decodes a small document, and a large one. */
const SMALL = 400_000;
const LARGE = 4_000_000;
/** Share of the steps that aliases may take, in the one and the other. */
const SMALL_SHARE = 0.99;
const LARGE_SHARE = 0.1;
/** Below these nothing is refused. */
const MIN_STEPS = 1_000;
const MIN_ALIAS_STEPS = 100;

export class AliasBound {
  /** The document itself is the first. */
  #steps = 1;
  #aliasSteps = 0;

  /** Whether the document may go on after so many more steps, of which an alias takes `aliasSteps`. */
  take(steps: number, aliasSteps = 0): boolean {
    this.#steps += steps;
    this.#aliasSteps += aliasSteps;
    if (this.#aliasSteps <= MIN_ALIAS_STEPS || this.#steps <= MIN_STEPS) return true;
    const size = Math.min(1, Math.max(0, (this.#steps - SMALL) / (LARGE - SMALL)));
    return this.#aliasSteps / this.#steps <= SMALL_SHARE - (SMALL_SHARE - LARGE_SHARE) * size;
  }
}
