/** Waits for a condition, never for a time. */
export interface EventuallyOptions {
  /** Bound in milliseconds; default 20,000. */
  readonly within?: number;
  /** Least pause between attempts in milliseconds; default 50. */
  readonly every?: number;
  /** What is awaited, for the failure message. */
  readonly what?: string;
}

/**
 * An attempt that is a process takes much of what the awaited work needs: the pause after it is twice as long as it took, up to so many
 * milliseconds.
 */
const LONGEST_PAUSE_MS = 1_000;

/** Resolves with the first value that is neither undefined, nor false, nor an empty list; a throwing attempt counts as not yet. */
export async function eventually<T>(
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  options: EventuallyOptions = {},
): Promise<T> {
  const deadline = Date.now() + (options.within ?? 20_000);
  let last: unknown;
  for (;;) {
    const begun = Date.now();
    try {
      const value = await attempt();
      if (value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const cause = last instanceof Error ? `: ${last.message}` : "";
      throw new Error(`${options.what ?? "the condition"} did not come true within ${options.within ?? 20_000} ms${cause}`);
    }
    const pause = Math.max(options.every ?? 50, Math.min(2 * (Date.now() - begun), LONGEST_PAUSE_MS));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
