import { type Bucket, type BucketLimits, fullBucket, takeTurns } from "../domain/schedule/token-bucket.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";
import { networkCode } from "./service-answer.ts";

/** The other side closed an idle connection as we used it: says nothing of the service, and the next one is fresh. */
const STALE_CONNECTION = new Set(["ECONNRESET", "EPIPE"]);

/**
 * To one host: as many as connections may be idle at once, and few beyond. A host that resets whatever we send is not asked twice for
 * everything, which no budget of a vault knows of.
 */
const SENT_AGAIN: BucketLimits = { perSecond: 4, burst: 64 };

/** Hosts of which that is kept: names of vaults are free. Whoever is forgotten begins anew. */
const MOST_HOSTS = 1_000;

/**
 * Sends a request once more whose connection was reset. Here, where it is one request: whatever consists of several, such as a list, goes
 * on from the very page, and never from an iterator that has failed. All that we send may be sent twice. `now`: milliseconds that only grow.
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
