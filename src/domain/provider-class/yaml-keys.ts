/** Keys without `?`: known as such only by the `:` behind them, which must come soon. */
import { type Mark, scannerError, type YamlCursor } from "./yaml-cursor.ts";

interface Candidate {
  isPossible: boolean;
  /** Nothing else may stand there. */
  readonly isRequired: boolean;
  /** Number of its first token. */
  readonly token: number;
  readonly mark: Mark;
}

export type SimpleKey = Pick<Candidate, "token" | "mark">;

const MAX_KEY_LENGTH = 1_024;

export class SimpleKeys {
  readonly #cursor: YamlCursor;
  /** One for each flow collection that is open, and one for what is around them. */
  readonly #levels: Candidate[];
  /** Which level a token may be the key of. */
  readonly #levelByToken = new Map<number, number>();

  constructor(cursor: YamlCursor) {
    this.#cursor = cursor;
    this.#levels = [{ isPossible: false, isRequired: false, token: 0, mark: cursor.mark }];
  }

  get #innermost(): Candidate {
    const candidate = this.#levels.at(-1);
    if (candidate === undefined) throw new RangeError("no level of keys");
    return candidate;
  }

  get depth(): number {
    return this.#levels.length - 1;
  }

  get mark(): Mark {
    return this.#innermost.mark;
  }

  /** A key has one line, and 1,024 characters at most. */
  #isAlive(candidate: Candidate): boolean {
    if (!candidate.isPossible) return false;
    const { mark, isRequired } = candidate;
    if (mark.line >= this.#cursor.line && mark.index + MAX_KEY_LENGTH >= this.#cursor.index) return true;
    if (isRequired) throw this.#missingColon(candidate);
    candidate.isPossible = false;
    return false;
  }

  #missingColon({ mark }: Candidate): Error {
    return scannerError("could not find expected ':'", mark, this.#cursor.mark);
  }

  /** Whether it is still open if this token begins a key. */
  mayBegin(token: number): boolean {
    const level = this.#levelByToken.get(token);
    const candidate = level === undefined ? undefined : this.#levels[level];
    return candidate !== undefined && this.#isAlive(candidate);
  }

  save(token: number, isRequired: boolean): void {
    this.drop();
    this.#levels[this.depth] = { isPossible: true, isRequired, token, mark: this.#cursor.mark };
    this.#levelByToken.set(token, this.depth);
  }

  /** What has been saved is no key. */
  drop(): void {
    const candidate = this.#innermost;
    if (!candidate.isPossible) return;
    if (candidate.isRequired) throw this.#missingColon(candidate);
    this.#forget(candidate);
  }

  /** What has been saved is a key, if it is alive. */
  take(): SimpleKey | undefined {
    const candidate = this.#innermost;
    if (!this.#isAlive(candidate)) return undefined;
    this.#forget(candidate);
    return candidate;
  }

  #forget(candidate: Candidate): void {
    candidate.isPossible = false;
    this.#levelByToken.delete(candidate.token);
  }

  openLevel(token: number): void {
    this.#levels.push({ isPossible: false, isRequired: false, token, mark: this.#cursor.mark });
  }

  closeLevel(): void {
    if (this.depth === 0) return;
    this.#levelByToken.delete(this.#innermost.token);
    this.#levels.pop();
  }
}
