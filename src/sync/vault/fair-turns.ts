interface Waiter {
  enter(): void;
}

/**
 * Lets those that come in one at a time. Where several wait, the lines take turns: whoever fills one line holds up nobody in another, and
 * where there is one line alone it gets everything. Within a line who came first goes first.
 */
export class FairTurns {
  #isTaken = false;
  /** In the order of their next turns; none is empty. */
  readonly #lines = new Map<string, Waiter[]>();

  /** `turn` runs alone. Rejects with the signal's reason where that aborts before. */
  async take<T>(line: string, turn: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(line, signal);
    try {
      return await turn();
    } finally {
      this.#next();
    }
  }

  #enter(line: string, signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted();
    if (!this.#isTaken) {
      this.#isTaken = true;
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#remove(line, waiter);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      enter: () => {
        signal.removeEventListener("abort", leave);
        resolve();
      },
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#lines.set(line, [...(this.#lines.get(line) ?? []), waiter]);
    return promise;
  }

  #next(): void {
    const [first] = this.#lines;
    if (first === undefined) {
      this.#isTaken = false;
      return;
    }
    const [line, [waiter, ...others]] = first;
    this.#lines.delete(line);
    if (others.length > 0) this.#lines.set(line, others);
    waiter?.enter();
  }

  #remove(line: string, waiter: Waiter): void {
    const others = this.#lines.get(line)?.filter((other) => other !== waiter) ?? [];
    if (others.length > 0) this.#lines.set(line, others);
    else this.#lines.delete(line);
  }
}
