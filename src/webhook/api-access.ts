import type { KubeObject, ObjectRef, Resource } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { untilAborted } from "../runtime/lifecycle.ts";

/** A live copy, and a read that tells whether the API server would answer for its kind. Whether the object is there does not matter. */
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
  /** Undefined while decisions rest on what the cluster has, or nobody can say; else one sentence. */
  readiness(): string | undefined;
  /** A watch that has stopped for so long that only another process mends it. A refused token is none: the container would begin with the same one. */
  liveness(): string | undefined;
  /** Resolves after the signal aborted. */
  readonly done: Promise<void>;
}

/** Two cheap reads per replica. */
const EVERY_MS = 15_000;
const LONGEST_READ_MS = 5_000;

/** Answers in a row. An API server that restarts may refuse a token for moments; one that refuses it for a minute means it. */
const ROW = { unready: 4, stuck: 12 } as const;

/** Four times the silence after which a watch is opened anew; a bookmark comes every minute. */
const SILENCE_MS = 300_000;

/**
 * Notices that the live copies no longer follow the cluster although the API server is there: it refuses our token for good, as after
 * the ServiceAccount was deleted and made again, or a watch has stopped without a word. An API server that is away is neither: it asks
 * for no decision then, and the copies are as good as they were.
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
  let told: string | undefined;
  const round = async (): Promise<void> => {
    await clock.sleep(EVERY_MS, signal);
    await check();
    const problem = readiness();
    if (problem !== undefined && problem !== told) logger.error("decisions are based on outdated cluster state", { problem });
    told = problem;
  };
  return { readiness, liveness: () => stalled(ROW.stuck), done: untilAborted(signal, round) };
}

/** `forbidden`: the token was accepted, and a right is missing. `silent`: no answer, or one that says nothing of token and kind. */
type ProbeAnswer = "answered" | "forbidden" | "refused" | "silent";

async function ask(
  kube: ApiAccessOptions["kube"],
  { resource, probe }: Pick<FollowedCopy, "resource" | "probe">,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_READ_MS)]);
    const { kind } = await kube.read<KubeObject>(resource, probe, bounded);
    // Without its kind there is no watch either.
    return kind === "unserved" ? "silent" : "answered";
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof KubeError ? error.code : undefined;
    if (code === "Forbidden") return "forbidden";
    return code === "Unauthorized" ? "refused" : "silent";
  }
}
