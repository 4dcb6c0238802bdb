import type { AdditionalPolicy } from "./additional-policy.ts";
import { boundedCall } from "./bounded-call.ts";

/**
 * Gives each request of the SDK so long for its whole answer, and ends it then. One request, so that it is known who was silent: a call of
 * the SDK may be a challenge, a sign-in and the request itself.
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
          // The SDK sends the same request again, after a challenge for one.
          if (given === undefined) delete request.abortSignal;
          else request.abortSignal = given;
        }
      },
    },
  };
}
