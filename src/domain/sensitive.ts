import type { Result } from "./result.ts";

const REDACTED = "[redacted]";

/**
 * A secret value on its way from the vault to the apply call.
 *
 * Every accidental output (template strings, JSON, `util.inspect`, `pino`) prints `[redacted]`. The only deliberate output is
 * {@link Sensitive.reveal}, which a test allows in at most three files.
 */
export class Sensitive {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static ofText(text: string): Sensitive {
    return new Sensitive(new TextEncoder().encode(text));
  }

  /** Length in bytes, which is safe to show. */
  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** Returns the bytes. Callers pass them only to a digest or to the API server. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Returns a value made from this one, for decoding inside `domain`. The bytes do not leave: `change` is a pure function that keeps
   * nothing. Its error names the position and the kind of the problem, never the bytes.
   */
  transform<E>(change: (bytes: Uint8Array) => Result<Uint8Array, E>): Result<Sensitive, E> {
    const changed = change(this.#bytes);
    return changed.ok ? { ok: true, value: new Sensitive(changed.value) } : changed;
  }

  /** Same as {@link Sensitive.transform}, for a change that never fails. */
  map(change: (bytes: Uint8Array) => Uint8Array): Sensitive {
    return new Sensitive(change(this.#bytes));
  }

  /** Same as {@link Sensitive.transform}, for a change that returns several values, each of which can fail separately. */
  split<E>(change: (bytes: Uint8Array) => readonly Result<Uint8Array, E>[]): readonly Result<Sensitive, E>[] {
    return change(this.#bytes).map(asSensitive);
  }

  /** Same as {@link Sensitive.split}, on another thread. The callback owns the copy that it receives: it can transfer and clear it. */
  async splitElsewhere<E>(
    change: (copy: Uint8Array) => Promise<readonly Result<Uint8Array, E>[]>,
  ): Promise<readonly Result<Sensitive, E>[]> {
    return (await change(Uint8Array.from(this.#bytes))).map(asSensitive);
  }

  /** Same as {@link Sensitive.split}, for several values together. */
  static combine<E>(
    values: ReadonlyMap<string, Sensitive>,
    change: (bytes: ReadonlyMap<string, Uint8Array>) => readonly Result<Uint8Array, E>[],
  ): readonly Result<Sensitive, E>[] {
    return change(new Map([...values].map(([name, value]) => [name, value.#bytes]))).map(asSensitive);
  }

  /** Same as {@link Sensitive.splitElsewhere}, for several values together. */
  static async combineElsewhere<E>(
    values: ReadonlyMap<string, Sensitive>,
    change: (copies: ReadonlyMap<string, Uint8Array>) => Promise<readonly Result<Uint8Array, E>[]>,
  ): Promise<readonly Result<Sensitive, E>[]> {
    return (await change(new Map([...values].map(([name, value]) => [name, Uint8Array.from(value.#bytes)])))).map(asSensitive);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}

function asSensitive<E>(made: Result<Uint8Array, E>): Result<Sensitive, E> {
  return made.ok ? { ok: true, value: new Sensitive(made.value) } : made;
}
