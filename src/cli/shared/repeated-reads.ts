import type { KubeObject } from "../../domain/kubernetes.ts";
import { type Clock, monotonicClock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { type Cluster, CommandFailure } from "./command.ts";

/** First pause before a repetition, in milliseconds. Each pause is twice as long as the one before. */
const FIRST_PAUSE_MS = 500;

/** No repetition begins later after the first failure, in milliseconds. A request without any answer takes 15 s, so that it is repeated once. */
const LAST_START_MS = 16_000;

/**
 * Whether the API server could not answer at this time: another request, or the same one later, may succeed. Another kind of server at the
 * address will not answer otherwise, unless it is a load balancer that reports 5xx.
 */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof KubeError) || error.isUnsent) return false;
  const { code, status = 0, isForeign } = error;
  return (code === "Throttled" || code === "Unavailable") && (!isForeign || status >= 500);
}

/** Whether the command failed because the API server could not answer. */
export function isUnansweredFailure(error: unknown): error is CommandFailure {
  return error instanceof CommandFailure && isUnanswered(error.cause);
}

/**
 * Returns the same cluster, whose client repeats a read that the API server could not answer, such as during an upgrade of the control
 * plane. It also repeats a patch, because the API server may have stored it although its answer was lost, and because a repetition of a
 * command's patch makes the same change, or is refused if it names a resourceVersion. Does not repeat the first read without any answer,
 * because the address may be wrong, and no read after one that stayed without an answer.
 */
export function withRepeatedReads(cluster: Cluster, clock: Clock): Cluster {
  const { kube } = cluster;
  const repeat = repeating(monotonicClock(clock));
  const patient: KubeClient = {
    read: <T extends KubeObject>(...[resource, ref, signal]: Parameters<KubeClient["read"]>) =>
      repeat(signal, () => kube.read<T>(resource, ref, signal)),
    readMetadata: (resource, ref, signal) => repeat(signal, () => kube.readMetadata(resource, ref, signal)),
    list: (resource, request, signal) => repeat(signal, () => kube.list(resource, request, signal)),
    create: (...request) => kube.create(...request),
    replace: (...request) => kube.replace(...request),
    apply: (...request) => kube.apply(...request),
    mergePatch: <T extends KubeObject>(...[resource, ref, patch, options, signal]: Parameters<KubeClient["mergePatch"]>) =>
      repeat(signal, () => kube.mergePatch<T>(resource, ref, patch, options, signal)),
    delete: (...request) => kube.delete(...request),
    requestToken: (...request) => kube.requestToken(...request),
  };
  return { ...cluster, kube: patient };
}

type Repeat = <T>(signal: AbortSignal, request: () => Promise<T>) => Promise<T>;

function repeating(clock: Clock): Repeat {
  /** Whether a failed read is worth a repetition. Any HTTP status is an answer. `silent`: also after one that repetitions did not help. */
  let state: "unknown" | "answering" | "silent" = "unknown";

  /** `waited`: time since the read failed first. */
  const pauseAfter = (error: unknown, pause: number, waited: number): number | undefined => {
    if (!(error instanceof KubeError)) return undefined;
    const { retry, status } = error;
    if (!isUnanswered(error)) {
      state = "answering";
      return undefined;
    }
    if (state === "unknown" && status !== undefined) state = "answering";
    const wanted = retry.kind === "after" ? Math.max(pause, retry.milliseconds) : pause;
    if (state === "answering" && waited + wanted <= LAST_START_MS) return wanted;
    if (status === undefined || waited > 0) state = "silent";
    return undefined;
  };

  return async (signal, request) => {
    let failed: number | undefined;
    for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
      try {
        const answer = await request();
        state = "answering";
        return answer;
      } catch (error) {
        const now = clock.now();
        failed ??= now;
        const wanted = pauseAfter(error, pause, now - failed);
        if (wanted === undefined) throw error;
        await clock.sleep(wanted, signal);
      }
    }
  };
}
