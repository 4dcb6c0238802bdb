import { isEqual } from "../api/json.ts";

const UID_LENGTH = 36;

/** Uids and times are taken as a whole: a part of one may be the number of a version. */
const WORDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d+\b/g;

/** Uids that operations make up mean the same on both servers, also where one answers of them and the other of something else. */
const MADE_UP = /^([12])\1{7}-2222-4333-8444-555555555555$/;

/** What each server calls by names of its own: uids, versions, generated names. One stands for the other, always the same one. */
export class Correspondence {
  readonly #toSimulated = new Map<string, string>();
  readonly #toReal = new Map<string, string>();
  /** Of those in `#toSimulated` that are no uids. */
  readonly #generated = new Map<string, string>();
  readonly #versions = new Map<number, number>();
  /** Pairs of versions in the order of the real ones. */
  #pairs: { readonly real: number; readonly simulated: number; readonly epoch: number }[] = [];
  #epoch = 0;

  /** False where one of the two already stands for something else. */
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

  /** Writes of controllers come in any order: versions from now on are only compared with those before. */
  nextEpoch(): void {
    this.#epoch++;
  }

  /** False where the versions are not in the same order as all that were seen before. */
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

  /** A version of a whole list: it may be newer than the last write, but not as new as the next. */
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

  /** Whether one text is the other's in other names. A number that both have is no version, and means the same: that of an RFC, for instance. */
  isSame(real: string, simulated: string): boolean {
    const named = this.#withGenerated(real);
    const [words, expected] = [named.match(WORDS) ?? [], simulated.match(WORDS) ?? []];
    return (
      isEqual(named.split(WORDS), simulated.split(WORDS)) &&
      words.every((word, index) => word === expected[index] || this.#translatedWord(word) === expected[index])
    );
  }

  /** `namespace/name` of the real server in the simulated one's names; the same where the name was not made up. */
  keyOf(real: string): string {
    const at = real.indexOf("/") + 1;
    const name = real.slice(at);
    return `${real.slice(0, at)}${this.#generated.get(name) ?? name}`;
  }

  /** A text of the real server in the simulated one's names. */
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
