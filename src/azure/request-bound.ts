import type { AdditionalPolicy } from "./additional-policy.ts";
import { boundedCall } from "./bounded-call.ts";

/**
 * Limits the time of each request of the SDK, including its whole response, and ends it then. The limit is for one request, so that it is
 * known which service did not respond: a call of the SDK may be a challenge, a sign-in and the request itself.
 */
export function requestBoundPolicy(timeoutMs: number): AdditionalPolicy {
  return {
    position: "perRetry",
    policy: {
      name: "requestBoundPolicy",
      async sendRequest(request, next) {
        const { abortSignal: given } = request;
        const callers = given instanceof AbortSignal ? given : undefined;
        try {
          return await boundedCall(
            (abortSignal) => {
              request.abortSignal = abortSignal;
              return next(request);
            },
            timeoutMs,
            callers,
          );
        } finally {
          // The SDK sends the same request again, for example after a challenge.
          if (given === undefined) delete request.abortSignal;
          else request.abortSignal = given;
        }
      },
    },
  };
}
