/** Tokens of YAML, and the queue that keys are put into when they turn out to be keys. */
import type { Directive, Tag } from "./yaml-properties.ts";

export type Bracket = "[" | "]" | "{" | "}";

export type TokenContent =
  | { readonly kind: "streamEnd" | "documentStart" | "documentEnd" | "blockSequence" | "blockMapping" | "blockEnd" }
  /** `-`, `,`, `?` or what makes a key of what follows, and `:`. */
  | { readonly kind: "blockEntry" | "flowEntry" | "key" | "value" }
  | { readonly kind: Bracket }
  | { readonly kind: "directive"; readonly directive: Directive }
  | { readonly kind: "alias" | "anchor"; readonly name: string }
  | { readonly kind: "tag"; readonly tag: Tag }
  /** `isQuoted`: not plain. */
  | { readonly kind: "scalar"; readonly value: string; readonly isQuoted: boolean };

/** `line` from 0. */
export type Token = TokenContent & { readonly line: number };

/** Taken ones are dropped in lots: dropping each would move all the others. */
const DROPPED_AT_ONCE = 1_024;

export class TokenQueue {
  #tokens: Token[] = [];
  #head = 0;
  /** Of the first one in the queue, counted from the first one ever. */
  firstNumber = 0;

  get length(): number {
    return this.#tokens.length - this.#head;
  }

  get nextNumber(): number {
    return this.firstNumber + this.length;
  }

  get first(): Token | undefined {
    return this.#tokens[this.#head];
  }

  get last(): Token | undefined {
    return this.#tokens.at(-1);
  }

  /** In front of the token with that number; behind all where it has been taken or there is none. */
  insert(token: Token, before?: number): void {
    const place = before === undefined ? -1 : before - this.firstNumber;
    if (place < 0) this.#tokens.push(token);
    else this.#tokens.splice(this.#head + place, 0, token);
  }

  take(): void {
    this.#head += 1;
    this.firstNumber += 1;
    if (this.#head < DROPPED_AT_ONCE) return;
    this.#tokens = this.#tokens.slice(this.#head);
    this.#head = 0;
  }
}
