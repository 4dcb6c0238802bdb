import type { Clock } from "../domain/ports/clock.ts";
import { KubeError, type KubeErrorCode } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { backoffDelay } from "../runtime/backoff.ts";
import { type Outcome, outcomeOfError } from "../runtime/workqueue.ts";

/** Pause for a namespace that is being deleted: its objects cannot be recreated, and its classes will soon be gone, too. */
const TERMINATING: SoonAgain = { Terminating: 10_000 };

/** Milliseconds until the next attempt, by the error code of the API server. */
export type SoonAgain = Readonly<Partial<Record<KubeErrorCode, number>>>;

/** Backoff after failures of the API server. Vault errors have their own backoff. */
export const RETRIES = { baseMs: 1_000, maxMs: 60_000 };

/**
 * Runs `handle`. If the API server rejects a request for good, for example because of a missing permission, repeats it slowly: people may
 * remove the cause without causing an event.
 */
export async function patiently(handle: () => Promise<Outcome>, soon: SoonAgain = TERMINATING): Promise<Outcome> {
  try {
    return await handle();
  } catch (error) {
    const outcome = error instanceof KubeError ? patientOutcome(error, soon) : undefined;
    if (outcome === undefined) throw error;
    return outcome;
  }
}

/** Returns the outcome that {@link patiently} and the queue give a pass that ends with this error. */
export function outcomeOfRefusal(error: KubeError, soon: SoonAgain): Outcome {
  return patientOutcome(error, soon) ?? outcomeOfError(error);
}

/** Returns undefined if the queue itself knows the time of the next attempt. */
function patientOutcome(error: KubeError, soon: SoonAgain): Outcome | undefined {
  const milliseconds = soon[error.code];
  if (milliseconds !== undefined) return { kind: "requeueAfter", milliseconds };
  return error.retry.kind === "never" ? { kind: "retry", error, afterMs: RETRIES.maxMs } : undefined;
}

/**
 * Returns the error that asks for the soonest retry, as {@link patiently} with the same `soon` would repeat the write of each error alone. The
 * queue repeats the whole pass then, so that no write waits longer because of another one. Without the errors, the pass would end with
 * `next`, and what is due then does not wait longer because of them either. Only the queue knows its backoff, so if a backoff and a time
 * compete, the error tells it both.
 */
export function soonestOf(
  refusals: readonly KubeError[],
  soon: SoonAgain = TERMINATING,
  next: Outcome = { kind: "done" },
): KubeError | undefined {
  const waits = refusals.map((error) => waitOf(error, soon));
  const soonest = Math.min(...waits);
  const nextMs = next.kind === "requeueAfter" ? next.milliseconds : Number.POSITIVE_INFINITY;
  const untimed = refusals[waits.indexOf(Number.POSITIVE_INFINITY)];
  if (untimed === undefined) {
    const timed = refusals[waits.indexOf(soonest)];
    return nextMs < soonest ? timed?.withRetry({ kind: "after", milliseconds: nextMs }) : timed;
  }
  const atMostMs = Math.min(soonest, nextMs);
  return atMostMs < RETRIES.maxMs ? untimed.withRetry({ kind: "backoff", atMostMs }) : untimed;
}

/** Returns the milliseconds until the next attempt; infinity for a backoff. */
function waitOf({ code, retry }: KubeError, soon: SoonAgain): number {
  const milliseconds = soon[code];
  if (milliseconds !== undefined) return milliseconds;
  if (retry.kind === "never") return RETRIES.maxMs;
  return retry.kind === "after" ? retry.milliseconds : Number.POSITIVE_INFINITY;
}

export interface Patience {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/**
 * Repeats the call until the API server answers it. The worker uses this for what it needs before its queues run: the queues repeat
 * everything later. Otherwise, a single 429 or timeout would end the process, and an overloaded API server answers with many of them.
 * Rejects with the signal's reason, with an error after which the API server allows no retry, and with every error that is not from the API
 * server.
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
