import type { Clock } from "../domain/ports/clock.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { backoffDelay } from "../runtime/backoff.ts";
import type { Outcome } from "../runtime/workqueue.ts";

/** How soon a class in a namespace that is being deleted is looked at again (milliseconds). */
const TERMINATING_MS = 10_000;

/** For what the API server could not do; the vault's refusals have a back-off of their own. */
export const RETRIES = { baseMs: 1_000, maxMs: 60_000 };

/** What the API server refuses for good (a missing right, say) may be mended by people without any event: look again, slowly. */
export async function patiently(handle: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await handle();
  } catch (error) {
    // What a namespace takes along while it is deleted is not made again; the classes go in a moment themselves.
    if (error instanceof KubeError && error.code === "Terminating") return { kind: "requeueAfter", milliseconds: TERMINATING_MS };
    if (error instanceof KubeError && error.retry.kind === "never") return { kind: "retry", error, afterMs: RETRIES.maxMs };
    throw error;
  }
}

export interface Patience {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/**
 * For what the worker needs before its queues run, which repeat everything later: repeats the call until the API server answers it. A
 * single 429 or time-out would otherwise end the process, which an overloaded API server answers with many of. Rejects with the signal's
 * reason, with what the API server refuses for good, and with everything that is not of the API server.
 */
export async function untilAnswered<T>(
  call: { readonly name: string; readonly make: () => Promise<T> },
  { clock, logger, random }: Patience,
  signal: AbortSignal,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await call.make();
    } catch (error) {
      if (!(error instanceof KubeError) || error.retry.kind === "never") throw error;
      const afterMs = error.retry.kind === "after" ? error.retry.milliseconds : backoffDelay(failures, RETRIES, random);
      logger.warn("the API server has not answered what the worker needs first", { call: call.name, failures, afterMs, error });
      await clock.sleep(afterMs, signal);
    }
  }
}
