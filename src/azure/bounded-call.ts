import { unlessAborted, within } from "../runtime/lifecycle.ts";

/** Raised by {@link boundedCall} where no answer came in time. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout";
}

/**
 * Gives `call` a signal that aborts with the caller's or after `milliseconds`, and does not wait for it beyond that: not all of the
 * SDK's requests take a signal. Without a caller's signal the time alone ends it.
 */
export async function boundedCall<T>(call: (signal: AbortSignal) => Promise<T>, milliseconds: number, signal?: AbortSignal): Promise<T> {
  const tooLate = (): CallTimeout => new CallTimeout(`no answer within ${milliseconds / 1000} s`);
  return within({ milliseconds, outer: signal, tooLate }, (bounded) => unlessAborted(call(bounded), bounded));
}
