/**
 * Maximum number of key derivation rounds for the files of one class in one reconcile, which take about two seconds of processor time.
 * Programs write 2,048 to 10,000 rounds for each of a file's few keys. So the limit is enough for more than a hundred certificates.
 */
const CLASS_ROUNDS = 2_000_000;

/** The remaining rounds, which the files of a class use one after another. */
export class DerivationBudget {
  #left: number;

  constructor(rounds: number = CLASS_ROUNDS) {
    this.#left = rounds;
  }

  get left(): number {
    return this.#left;
  }

  /** Explains why this number of rounds exceeds the budget; undefined if it does not. */
  refusal(rounds: number): string | undefined {
    if (rounds <= this.#left) return undefined;
    const left = `${this.#left} of the ${CLASS_ROUNDS} for all files of the class are left; export the file with fewer iterations`;
    return `pkcs12: the iteration counts are too high: the file requires ${rounds} rounds of key derivation, but only ${left}`;
  }

  spend(rounds: number): void {
    this.#left -= rounds;
  }
}
