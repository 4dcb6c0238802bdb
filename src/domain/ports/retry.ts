/** How the queue should treat a failure. Data, not text: nobody guesses from a message. */
export type Retry = { readonly kind: "backoff" } | { readonly kind: "after"; readonly milliseconds: number } | { readonly kind: "never" };
