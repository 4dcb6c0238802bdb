import type { KubeObject, ObjectRef, Resource } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { untilAborted } from "../runtime/lifecycle.ts";

/** A live copy, and a read that shows whether the API server would respond for its kind. The object need not exist. */
export interface FollowedCopy {
  readonly resource: Resource;
  readonly probe: ObjectRef;
  readonly copy: Pick<Reflector<unknown>, "isUnserved" | "silentFor">;
}

export interface ApiAccessOptions {
  readonly kube: Pick<KubeClient, "read">;
  readonly copies: readonly FollowedCopy[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ApiAccess {
  /**
   * Returns one sentence if decisions are based on outdated cluster state. Returns undefined if they are not, or if that cannot be
   * determined.
   */
  readiness(): string | undefined;
  /**
   * Returns one sentence if a watch has stopped for so long that only another process helps. A rejected token does not count: a restarted
   * container would begin with the same one.
   */
  liveness(): string | undefined;
  /** Resolves after the signal aborted. */
  readonly done: Promise<void>;
}

/** Interval in milliseconds. A check costs two cheap reads per replica. */
const EVERY_MS = 15_000;
const LONGEST_READ_MS = 5_000;

/**
 * Consecutive results. An API server that restarts may reject a token for moments. If it rejects the token for a minute, it will continue
 * to.
 */
const ROW = { unready: 4, stuck: 12 } as const;

/** Four times the silence after which a watch is reopened (milliseconds); a bookmark arrives every minute. */
const SILENCE_MS = 300_000;

/**
 * Detects that the live copies no longer follow the cluster although the API server is available. Either it permanently rejects our token,
 * for example because the ServiceAccount was deleted and recreated, or a watch has stopped without an error. An API server that is not
 * available is neither: it requests no decision then, and the copies are as good as before.
 */
export function startApiAccess({ kube, copies, clock, logger }: ApiAccessOptions, signal: AbortSignal): ApiAccess {
  let refused = 0;
  const silent = new Map<FollowedCopy, number>();
  const check = async (): Promise<void> => {
    const answers = await Promise.all(copies.map(({ resource, probe }) => ask(kube, { resource, probe }, signal)));
    if (answers.includes("answered") || answers.includes("forbidden")) refused = 0;
    else if (answers.includes("refused")) refused += 1;
    for (const [index, each] of copies.entries()) {
      if (answers[index] !== "answered") continue;
      const isSilent = !each.copy.isUnserved && each.copy.silentFor > SILENCE_MS;
      silent.set(each, isSilent ? (silent.get(each) ?? 0) + 1 : 0);
    }
  };
  const stalled = (row: number): string | undefined => {
    const copy = copies.find((each) => (silent.get(each) ?? 0) >= row);
    return copy === undefined ? undefined : `the copy of ${copy.resource.plural} no longer follows the API server`;
  };
  const readiness = (): string | undefined =>
    refused >= ROW.unready ? "the API server rejects our token: replace this pod (kubectl rollout restart)" : stalled(ROW.unready);
  let reported: string | undefined;
  const round = async (): Promise<void> => {
    await clock.sleep(EVERY_MS, signal);
    await check();
    const problem = readiness();
    if (problem !== undefined && problem !== reported) logger.error("decisions are based on outdated cluster state", { problem });
    reported = problem;
  };
  return { readiness, liveness: () => stalled(ROW.stuck), done: untilAborted(signal, round) };
}

/**
 * `forbidden`: the token was accepted, but a permission is missing. `silent`: no response, or one that says nothing about the token and the
 * kind.
 */
type ProbeAnswer = "answered" | "forbidden" | "refused" | "silent";

async function ask(
  kube: ApiAccessOptions["kube"],
  { resource, probe }: Pick<FollowedCopy, "resource" | "probe">,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_READ_MS)]);
    const { kind } = await kube.read<KubeObject>(resource, probe, bounded);
    // If the kind is not served, there is no watch either.
    return kind === "unserved" ? "silent" : "answered";
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof KubeError ? error.code : undefined;
    if (code === "Forbidden") return "forbidden";
    return code === "Unauthorized" ? "refused" : "silent";
  }
}
