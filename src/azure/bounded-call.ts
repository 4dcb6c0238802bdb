import { unlessAborted, within } from "../runtime/lifecycle.ts";

/** Thrown by {@link boundedCall} if there is no response in time. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout";
}

/**
 * Gives `call` a signal that aborts with the caller's signal or after `milliseconds`, and waits no longer than that: not all of the SDK's
 * requests take a signal. Without a caller's signal, only the time ends the call.
 */
export async function boundedCall<T>(call: (signal: AbortSignal) => Promise<T>, milliseconds: number, signal?: AbortSignal): Promise<T> {
  const tooLate = (): CallTimeout => new CallTimeout(`no answer within ${milliseconds / 1000} s`);
  return within({ milliseconds, outer: signal, tooLate }, (bounded) => unlessAborted(call(bounded), bounded));
}
