import type { Logger } from "../domain/ports/logger.ts";

/** Returns a signal that aborts on SIGTERM or SIGINT. A second signal ends the process at once, as users at a terminal expect. */
export function stopSignal(logger: Logger): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      process.kill(process.pid, "SIGKILL");
      return;
    }
    logger.info("stopping", { signal: name });
    controller.abort(new Error(`stopped by ${name}`));
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return controller.signal;
}

/**
 * Runs round after round until the signal aborts, and then ignores the error that ends a round early. Before that, rejects with a round's
 * error.
 */
export async function untilAborted(signal: AbortSignal, round: () => Promise<void>): Promise<void> {
  try {
    while (!signal.aborted) await round();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/**
 * Runs with a signal that aborts with the outer one, or with `tooLate` after this many milliseconds. The timer and the listener are removed
 * with the end of the work: a thousand calls leave none, whereas a signal of `AbortSignal.timeout` leaves them until it is collected.
 * Rejects with the outer signal's reason if it has already aborted.
 */
export async function within<T>(
  {
    milliseconds,
    outer,
    tooLate,
  }: { readonly milliseconds: number; readonly outer: AbortSignal | undefined; readonly tooLate: () => Error },
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const bound = new AbortController();
  const timer = setTimeout(() => bound.abort(tooLate()), milliseconds);
  try {
    return await following(outer, bound, action);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs with the controller's signal, which aborts with the outer one as long as the work lasts. Rejects as {@link within} does. */
export async function following<T>(
  outer: AbortSignal | undefined,
  controller: AbortController,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const abort = (): void => controller.abort(outer?.reason);
  outer?.addEventListener("abort", abort, { once: true });
  try {
    return await action(controller.signal);
  } finally {
    outer?.removeEventListener("abort", abort);
  }
}

/**
 * Returns the result of the work, or rejects with `why` as soon as the signal aborts (default: its reason). Use this for work that takes no
 * signal or that others share, and that may never end.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, why: () => unknown = () => signal.reason): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const end = (): void => ended.reject(why());
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
