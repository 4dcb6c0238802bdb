/** How the queue should treat a failure. Data instead of text, so that no code has to guess from a message. */
export type Retry = { readonly kind: "backoff" } | { readonly kind: "after"; readonly milliseconds: number } | { readonly kind: "never" };
