/**
 * Rounds of key derivation that the files of one class may take in one reconcile: about two seconds of a processor. Programs write 2,048 to
 * 10,000 rounds for each of a file's few keys, so this is enough for more than a hundred certificates.
 */
const CLASS_ROUNDS = 2_000_000;

/** What is left of the rounds, for one file after the other. */
export class DerivationBudget {
  #left: number;

  constructor(rounds: number = CLASS_ROUNDS) {
    this.#left = rounds;
  }

  get left(): number {
    return this.#left;
  }

  /** Why so many more rounds cannot be taken; undefined where they can. */
  refusal(rounds: number): string | undefined {
    if (rounds <= this.#left) return undefined;
    const left = `${this.#left} of the ${CLASS_ROUNDS} for all files of a class are left`;
    return `pkcs12: the iteration counts are too high: it requires ${rounds} rounds, and ${left}`;
  }

  spend(rounds: number): void {
    this.#left -= rounds;
  }
}
