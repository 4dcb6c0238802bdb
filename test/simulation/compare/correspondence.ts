import { isEqual } from "../api/json.ts";

const UID_LENGTH = 36;

/** Matches UIDs and times as a whole, because a part of one can look like a version. */
const WORDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d+\b/g;

/** UIDs that operations make up. They are the same on both servers, and never stand for another UID. */
const MADE_UP = /^([12])\1{7}-2222-4333-8444-555555555555$/;

/** Maps the values that each server chooses itself (UIDs, versions, generated names) to those of the other server, one to one. */
export class Correspondence {
  readonly #toSimulated = new Map<string, string>();
  readonly #toReal = new Map<string, string>();
  /** The entries of `#toSimulated` that are not UIDs. */
  readonly #generated = new Map<string, string>();
  readonly #versions = new Map<number, number>();
  /** Pairs of versions, sorted by the real version. */
  #pairs: { readonly real: number; readonly simulated: number; readonly epoch: number }[] = [];
  #epoch = 0;

  /** Records a pair. Returns false if one of the two already stands for something else. */
  pair(real: string, simulated: string): boolean {
    if (MADE_UP.test(real) || MADE_UP.test(simulated)) return real === simulated;
    const known = this.#toSimulated.get(real);
    const back = this.#toReal.get(simulated);
    if (known === undefined && back === undefined) {
      this.#toSimulated.set(real, simulated);
      this.#toReal.set(simulated, real);
      if (real !== simulated && real.length !== UID_LENGTH) this.#generated.set(real, simulated);
      return true;
    }
    return known === simulated && back === real;
  }

  /** Starts a new epoch. Controllers write in any order, so versions are compared only with those of earlier epochs. */
  nextEpoch(): void {
    this.#epoch++;
  }

  /** Records a pair of versions. Returns false if their order contradicts that of the earlier pairs. */
  pairVersions(realText: string, simulatedText: string): boolean {
    const real = Number(realText);
    const simulated = Number(simulatedText);
    const known = this.#versions.get(real);
    if (known !== undefined) return known === simulated;
    const at = this.#place(real);
    const before = this.#pairs[at - 1];
    const after = this.#pairs[at];
    const isBehind = before === undefined || before.simulated < simulated || before.epoch === this.#epoch;
    const isAhead = after === undefined || after.simulated > simulated || after.epoch === this.#epoch;
    const isTaken = this.#pairs.some((pair) => pair.simulated === simulated);
    if (isTaken || !isBehind || !isAhead) return false;
    this.#versions.set(real, simulated);
    this.#pairs.splice(at, 0, { real, simulated, epoch: this.#epoch });
    return true;
  }

  /** Whether the versions of a list match: such a version can be newer than the last write, but must be older than the next one. */
  isBetween(realText: string, simulatedText: string): boolean {
    const real = Number(realText);
    const simulated = Number(simulatedText);
    const at = this.#place(real + 1);
    const before = this.#pairs[at - 1];
    const after = this.#pairs[at];
    return (before === undefined || before.simulated <= simulated) && (after === undefined || after.simulated > simulated);
  }

  #place(real: number): number {
    let low = 0;
    let high = this.#pairs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#pairs[middle]?.real ?? 0) < real) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the texts are the same after translation. A number in both texts is not a version and means the same: the number of an RFC, for instance. */
  isSame(real: string, simulated: string): boolean {
    const named = this.#withGenerated(real);
    const [words, expected] = [named.match(WORDS) ?? [], simulated.match(WORDS) ?? []];
    return (
      isEqual(named.split(WORDS), simulated.split(WORDS)) &&
      words.every((word, index) => word === expected[index] || this.#translatedWord(word) === expected[index])
    );
  }

  /** Translates `namespace/name` from the real server to the simulated one. Names that are not generated stay the same. */
  keyOf(real: string): string {
    const at = real.indexOf("/") + 1;
    const name = real.slice(at);
    return `${real.slice(0, at)}${this.#generated.get(name) ?? name}`;
  }

  /** Translates a text from the real server to the simulated one. */
  translated(text: string): string {
    return this.#withGenerated(text).replaceAll(WORDS, (word) => this.#translatedWord(word));
  }

  #translatedWord(word: string): string {
    return /^\d+$/.test(word) ? String(this.#versions.get(Number(word)) ?? word) : (this.#toSimulated.get(word) ?? word);
  }

  #withGenerated(text: string): string {
    for (const [real, simulated] of this.#generated) if (text.includes(real)) return text.replaceAll(real, simulated);
    return text;
  }
}
