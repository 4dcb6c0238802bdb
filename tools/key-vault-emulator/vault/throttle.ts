export interface Budget {
  readonly transactions: number;
  readonly perSeconds: number;
  /** Sent as Retry-After; the real service has been seen without it, which is the default. */
  readonly retryAfterSeconds?: number | undefined;
}

export type Admission = { readonly kind: "admitted" } | { readonly kind: "refused"; readonly retryAfterSeconds: number | undefined };

/**
 * A token bucket: full at first, refilled evenly. Without a budget everything is admitted. The real limits are in
 * https://learn.microsoft.com/azure/key-vault/general/service-limits
 */
export class Throttle {
  #budget: Budget | undefined;
  #tokens = 0;
  #filledAt = 0;

  /** `undefined` lifts the limit. */
  setBudget(budget: Budget | undefined): void {
    this.#budget = budget;
    this.#tokens = budget?.transactions ?? 0;
    this.#filledAt = performance.now();
  }

  admit(): Admission {
    const budget = this.#budget;
    if (budget === undefined) return { kind: "admitted" };
    const now = performance.now();
    const refill = ((now - this.#filledAt) / 1000) * (budget.transactions / budget.perSeconds);
    this.#tokens = Math.min(budget.transactions, this.#tokens + refill);
    this.#filledAt = now;
    if (this.#tokens < 1) return { kind: "refused", retryAfterSeconds: budget.retryAfterSeconds };
    this.#tokens -= 1;
    return { kind: "admitted" };
  }
}
