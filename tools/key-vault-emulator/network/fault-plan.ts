import type { Exchange } from "./exchange.ts";
import type { RefusalName } from "./refusals.ts";

/** Effect of a fault. */
export type FaultEffect =
  /** The service fails, or answers that it is busy. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds?: number | undefined }
  /** An error of the service that no state of the emulator produces. */
  | { readonly kind: "refusal"; readonly refusal: RefusalName }
  /** The emulator resets the connection before any answer. */
  | { readonly kind: "reset" }
  /** The correct answer after a delay. */
  | { readonly kind: "slow"; readonly milliseconds: number }
  /** Half of the correct answer's body, then the end of the connection. */
  | { readonly kind: "truncated" }
  /** Status 200 with a page of HTML, as from a proxy in between. */
  | { readonly kind: "contentType" }
  /** The correct answer without one member of its body: `id`, or `key.kid` for a nested member. */
  | { readonly kind: "without"; readonly member: string };

export interface Fault {
  readonly effect: FaultEffect;
  /** A fault of a vault applies only to requests with a token, so that a challenge does not use it up. */
  readonly isAuthenticatedOnly: boolean;
  readonly host: string;
  /** Start of the paths to which the fault applies. */
  readonly path: string;
  readonly times: number;
}

/** Pending faults, oldest first. Each applies a number of times. */
export class FaultPlan {
  #faults: readonly Fault[] = [];

  add(fault: Fault): void {
    this.#faults = [...this.#faults, fault];
  }

  /** Removes all faults, or those of one host. */
  clear(host?: string): void {
    this.#faults = host === undefined ? [] : this.#faults.filter((fault) => fault.host !== host);
  }

  /** Returns the fault for this request and counts it as used. */
  take({ segments, headers }: Exchange, host: string): FaultEffect | undefined {
    const path = `/${segments.join("/")}`;
    const striking = this.#faults.find(
      (fault) => fault.host === host && path.startsWith(fault.path) && (!fault.isAuthenticatedOnly || headers.authorization !== undefined),
    );
    if (striking === undefined) return undefined;
    const rest = striking.times > 1 ? [{ ...striking, times: striking.times - 1 }] : [];
    this.#faults = this.#faults.flatMap((fault) => (fault === striking ? rest : [fault]));
    return striking.effect;
  }
}
