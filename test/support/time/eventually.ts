/** Waits for a condition, never for a time. */
export interface EventuallyOptions {
  /** Bound in milliseconds; default 20,000. */
  readonly within?: number;
  /** Pause between attempts in milliseconds; default 50. */
  readonly every?: number;
  /** What is awaited, for the failure message. */
  readonly what?: string;
}

/** Resolves with the first value that is neither undefined nor false; a throwing attempt counts as not yet. */
export async function eventually<T>(
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  options: EventuallyOptions = {},
): Promise<T> {
  const deadline = Date.now() + (options.within ?? 20_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const cause = last instanceof Error ? `: ${last.message}` : "";
      throw new Error(`${options.what ?? "the condition"} did not come true within ${options.within ?? 20_000} ms${cause}`);
    }
    await new Promise((resolve) => setTimeout(resolve, options.every ?? 50));
  }
}
