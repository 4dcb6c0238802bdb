import type { Dispatcher } from "undici";
import { notLeading } from "../domain/ports/kube-error.ts";
import { type Attempt, describeAttempt } from "./errors.ts";

/**
 * Calls `mayWrite` again at the moment when a write goes to its socket. The write may have waited for a connection, or the whole process
 * may have been suspended. After that, the event loop handles what has arrived in the meantime, including a new connection, before any
 * timer can end the request.
 */
export function fenceFor(attempt: Attempt, mayWrite: () => boolean): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => {
        handler.onRequestStart?.(controller, context);
        if (!mayWrite()) controller.abort(notLeading(describeAttempt(attempt)));
      },
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart: (...given) => handler.onResponseStart?.(...given),
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
    });
}
