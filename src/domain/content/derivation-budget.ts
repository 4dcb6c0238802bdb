/**
 * Rounds of key derivation that the files of one class may take in one reconcile: about two seconds of a processor. Programs write 2,048 to
 * 10,000 rounds for each of a file's few keys, so this is enough for more than a hundred certificates.
 */
export const CLASS_ROUNDS = 2_000_000;

/** How every refusal for rounds begins. */
export const TOO_MANY_ROUNDS = "pkcs12: the iteration counts are too high";

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
    return `${TOO_MANY_ROUNDS}: it asks for ${rounds} rounds, and of the ${CLASS_ROUNDS} for all files of a class ${this.#left} are left`;
  }

  spend(rounds: number): void {
    this.#left -= rounds;
  }
}
