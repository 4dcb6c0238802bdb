/** Waits for a condition instead of a fixed time. */
export interface EventuallyOptions {
  /** Time limit in milliseconds. Default 20,000. */
  readonly within?: number;
  /** Shortest pause between attempts in milliseconds. Default 50. */
  readonly every?: number;
  /** The awaited condition, for the error message. */
  readonly what?: string;
}

/**
 * An attempt may be a process that competes with the awaited work. Therefore the pause after it is twice as long as the attempt, up to this
 * number of milliseconds.
 */
const LONGEST_PAUSE_MS = 1_000;

/** Resolves with the first value that is not undefined, false or an empty list. An attempt that throws counts as not yet fulfilled. */
export async function eventually<T>(
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  options: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + (options.within ?? 20_000);
  let last: unknown;
  for (;;) {
    const begun = performance.now();
    try {
      const value = await attempt();
      if (value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const cause = last instanceof Error ? `: ${last.message}` : "";
      throw new Error(`${options.what ?? "the condition"} did not come true within ${options.within ?? 20_000} ms${cause}`);
    }
    const pause = Math.max(options.every ?? 50, Math.min(2 * (performance.now() - begun), LONGEST_PAUSE_MS));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
