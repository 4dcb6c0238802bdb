import type { Dispatcher } from "undici";
import type { KubeError } from "../domain/ports/kube-error.ts";

/**
 * Calls `refusal` again at the moment when a write goes to its socket. The write may have waited for a connection, or the whole process
 * may have been suspended. After that, the event loop handles what has arrived in the meantime, including a new connection, before any
 * timer can end the request. `refusal`: why the write may not be sent; undefined if it may.
 */
export function fenceFor(refusal: () => KubeError | undefined): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => {
        handler.onRequestStart?.(controller, context);
        const refused = refusal();
        if (refused !== undefined) controller.abort(refused);
      },
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart: (...given) => handler.onResponseStart?.(...given),
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
    });
}
