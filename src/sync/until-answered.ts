import type { Clock } from "../domain/ports/clock.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { backoffDelay } from "../runtime/backoff.ts";
import { RETRIES } from "./patiently.ts";

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
