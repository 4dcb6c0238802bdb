import type { Clock } from "../domain/ports/clock.ts";
import { KubeError, type KubeErrorCode } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { backoffDelay } from "../runtime/backoff.ts";
import type { Outcome } from "../runtime/workqueue.ts";

/** What a namespace takes along while it is deleted is not made again; the classes go in a moment themselves. */
const TERMINATING: SoonAgain = { Terminating: 10_000 };

/** Milliseconds to the next attempt, by what the API server said. */
type SoonAgain = Readonly<Partial<Record<KubeErrorCode, number>>>;

/** For what the API server could not do; the vault's refusals have a back-off of their own. */
export const RETRIES = { baseMs: 1_000, maxMs: 60_000 };

/** What the API server refuses for good (a missing right, say) may be mended by people without any event: look again, slowly. */
export async function patiently(handle: () => Promise<Outcome>, soon: SoonAgain = TERMINATING): Promise<Outcome> {
  try {
    return await handle();
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const milliseconds = soon[error.code];
    if (milliseconds !== undefined) return { kind: "requeueAfter", milliseconds };
    if (error.retry.kind === "never") return { kind: "retry", error, afterMs: RETRIES.maxMs };
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
      logger.warn("the API server has not answered the worker's first requests", { call: call.name, failures, afterMs, error });
      await clock.sleep(afterMs, signal);
    }
  }
}
