import type { AdditionalPolicy } from "./sdk-network.ts";
import { networkCode } from "./service-answer.ts";

/** The other side closed an idle connection as we used it: says nothing of the service, and the next one is fresh. */
const STALE_CONNECTION = new Set(["ECONNRESET", "EPIPE"]);

/**
 * Sends a request once more whose connection was reset. Here, where it is one request: whatever consists of several, such as a list, goes
 * on from the very page, and never from an iterator that has failed. All that we send may be sent twice.
 */
export const freshConnectionPolicy: AdditionalPolicy = {
  position: "perRetry",
  policy: {
    name: "freshConnectionPolicy",
    async sendRequest(request, next) {
      try {
        return await next(request);
      } catch (error) {
        if (!STALE_CONNECTION.has(networkCode(error) ?? "")) throw error;
        return next(request);
      }
    },
  },
};
