import type { Exchange } from "./exchange.ts";
import type { RefusalName } from "./refusals.ts";

/** What goes wrong. */
export type FaultEffect =
  /** The service fails, or says it is busy. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds?: number | undefined }
  /** A refusal of the service that no state of the emulator's own leads to. */
  | { readonly kind: "refusal"; readonly refusal: RefusalName }
  /** The connection is reset before any answer. */
  | { readonly kind: "reset" }
  /** The right answer, late. */
  | { readonly kind: "slow"; readonly milliseconds: number }
  /** Half of the right answer's body, then the end of the connection. */
  | { readonly kind: "truncated" }
  /** Status 200 with a page of HTML, as from a proxy in between. */
  | { readonly kind: "contentType" }
  /** The right answer but for one member of its body: `id`, or `key.kid` for a member of a member. */
  | { readonly kind: "without"; readonly member: string };

export interface Fault {
  readonly effect: FaultEffect;
  /** A vault's host only counts requests that carry a token, so that a challenge does not use the fault up. */
  readonly isAuthenticatedOnly: boolean;
  readonly host: string;
  /** Only paths that start so. */
  readonly path: string;
  readonly times: number;
}

/** Faults to come, oldest first; each strikes a number of times. */
export class FaultPlan {
  #faults: readonly Fault[] = [];

  add(fault: Fault): void {
    this.#faults = [...this.#faults, fault];
  }

  /** All of them, or those of one host. */
  clear(host?: string): void {
    this.#faults = host === undefined ? [] : this.#faults.filter((fault) => fault.host !== host);
  }

  /** The fault that strikes this request; it is used up by that. */
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
