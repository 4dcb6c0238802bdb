/** Raised by {@link boundedCall} where no answer came in time. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout";
}

/**
 * Gives `call` a signal that aborts with the caller's or after `milliseconds`, and does not wait for it beyond that:
 * the SDK's token requests take no signal.
 */
export async function boundedCall<T>(call: (signal: AbortSignal) => Promise<T>, milliseconds: number, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.aborted ? signal.reason : new CallTimeout(`no answer within ${milliseconds / 1000} s`));
  bounded.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([call(bounded), ended.promise]);
  } finally {
    bounded.removeEventListener("abort", end);
  }
}
