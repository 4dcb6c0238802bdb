export interface Budget {
  readonly transactions: number;
  readonly perSeconds: number;
  /** Value of the Retry-After header. By default the header is missing, as has been observed in the real service. */
  readonly retryAfterSeconds?: number | undefined;
}

export type Admission = { readonly kind: "admitted" } | { readonly kind: "refused"; readonly retryAfterSeconds: number | undefined };

/**
 * A token bucket, full at first and refilled evenly. Without a budget it admits every request. For the real limits, see
 * https://learn.microsoft.com/azure/key-vault/general/service-limits
 */
export class Throttle {
  #budget: Budget | undefined;
  #tokens = 0;
  #filledAt = 0;

  /** `undefined` removes the limit. */
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
