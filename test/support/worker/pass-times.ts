import { WorkQueue, type WorkQueueOptions } from "../../../src/runtime/workqueue.ts";
import { RETRIES } from "../../../src/sync/patience.ts";
import type { ManualClock } from "../time/manual-clock.ts";
import { recordingLogger } from "./recording-logger.ts";

/** Returns the seconds, counted from now, at which a queue with one key begins its first passes. */
export async function passTimes(clock: ManualClock, handle: WorkQueueOptions["handle"], count: number): Promise<readonly number[]> {
  const origin = clock.now();
  const began: number[] = [];
  const queue = new WorkQueue({
    handle: (key, signal) => {
      began.push((clock.now() - origin) / 1_000);
      return handle(key, signal);
    },
    workers: 1,
    backoff: RETRIES,
    clock,
    logger: recordingLogger(),
    random: () => 0.999_999,
  });
  const stop = new AbortController();
  const run = queue.run(stop.signal);
  queue.add("shop");
  for (let half = 0; half < 1_000 && began.length < count; half += 1) await clock.advance(500);
  stop.abort();
  await run;
  return began.slice(0, count);
}
