/** How the queue should treat a failure. Data instead of text, so that no code has to guess from a message. */
export type Retry =
  /** `atMostMs`: maximum delay, if something else needs a retry by then. */
  | { readonly kind: "backoff"; readonly atMostMs?: number }
  | { readonly kind: "after"; readonly milliseconds: number }
  | { readonly kind: "never" };

export const BACKOFF: Retry = { kind: "backoff" };
export const NEVER: Retry = { kind: "never" };
