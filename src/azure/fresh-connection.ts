import { type Bucket, type BucketLimits, fullBucket, takeTurns } from "../domain/schedule/token-bucket.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";
import { networkCode } from "./service-answer.ts";

/**
 * The other side closed an idle connection while the client used it. This says nothing about the service, and the next connection is fresh.
 */
const STALE_CONNECTION = new Set(["ECONNRESET", "EPIPE"]);

/**
 * Limits the repeated requests to one host: as many as connections may be idle at once, and few beyond. Otherwise the client would send
 * each request twice to a host that resets every connection, and no budget of a vault would count them.
 */
const SENT_AGAIN: BucketLimits = { perSecond: 4, burst: 64 };

/** Number of hosts whose buckets are kept, because users can name any vault. A host that drops out starts with a full bucket. */
const MOST_HOSTS = 1_000;

/**
 * Sends a request again if its connection was reset. Repeats only that one request: an operation of several requests, such as a list,
 * continues at the same page, and never from an iterator that has failed. All our requests may be sent twice. `now` returns milliseconds
 * that only increase.
 */
export function createFreshConnectionPolicy(now: () => number = () => performance.now()): AdditionalPolicy {
  const buckets = new Map<string, Bucket>();
  const mayBeSentAgain = (url: string): boolean => {
    const { host } = new URL(url);
    const at = now();
    const taken = takeTurns(buckets.get(host) ?? fullBucket(SENT_AGAIN, at), SENT_AGAIN, { now: at, turns: 1 });
    if (taken.waitMs > 0) return false;
    buckets.delete(host);
    buckets.set(host, taken.bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > MOST_HOSTS && oldest !== undefined) buckets.delete(oldest);
    return true;
  };
  return {
    position: "perRetry",
    policy: {
      name: "freshConnectionPolicy",
      async sendRequest(request, next) {
        try {
          return await next(request);
        } catch (error) {
          if (!STALE_CONNECTION.has(networkCode(error) ?? "") || !mayBeSentAgain(request.url)) throw error;
          return next(request);
        }
      },
    },
  };
}
