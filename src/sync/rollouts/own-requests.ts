import { objectKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { failed, ok, type Result } from "../../domain/result.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import type { OwnRequest, RolloutMemory, Trouble } from "./rollout-memory.ts";

export interface OwnRequestPorts {
  readonly memory: RolloutMemory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is begun in a look; undefined: as many as there are. */
  readonly turn?: LookTurn;
}

/** Of one look's such requests, in milliseconds: with the last one that has begun it lasts longer. */
const TURN_MS = 5_000;

/** A look makes them one after the other, and other namespaces wait for its worker. */
class LookTurn {
  readonly #clock: Clock;
  #spentMs = 0;
  #hasPutOff = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether something is left for the next look. */
  get hasPutOff(): boolean {
    return this.#hasPutOff;
  }

  /** Why a request waits for the next look; undefined: it may begin. */
  putOff(): Trouble | undefined {
    if (this.#spentMs < TURN_MS) return undefined;
    this.#hasPutOff = true;
    return {
      failures: 0,
      until: this.#clock.now(),
      why: "other workloads of its namespace come first, and are slow",
      refusedAt: undefined,
    };
  }

  async take<T>(make: () => Promise<T>): Promise<T> {
    const begun = this.#clock.now();
    try {
      return await make();
    } finally {
      this.#spentMs += this.#clock.now() - begun;
    }
  }
}

export interface OwnRequestOf {
  readonly workload: Workload;
  readonly request: OwnRequest;
}

/** Milliseconds between attempts: the first wait, and the longest. */
type Waits = readonly [first: number, longest: number];

const ANSWERED: Waits = [1_000, 60_000];
/** Policies are changed by people. */
const REFUSED: Waits = [60_000, 60_000];
/** Each attempt costs as long as a request may take. */
const UNANSWERED: Waits = [30_000, 120_000];

/** Somebody wrote the workload in between, and its new state is on its way: that often in a row, the look is repeated. */
const CONFLICTS = 3;

/** The context of a look, or of a part of it, with a turn of its own. */
export function inTurn<Context extends { readonly writer: OwnRequestPorts }>(
  context: Context,
): Context & { readonly writer: { readonly turn: LookTurn } } {
  return { ...context, writer: { ...context.writer, turn: new LookTurn(context.writer.clock) } };
}

/**
 * Makes a request of which only one workload is the cause. Its failure is that workload's trouble, and none of its neighbours: it is returned,
 * remembered, and the request is not repeated for a while. Thrown is what is everybody's trouble; what got no answer is both, so that a look
 * waits for one such request at most, and the next look passes it over.
 */
export async function attempt<T>(ports: OwnRequestPorts, of: OwnRequestOf, make: () => Promise<T>): Promise<Result<T, Trouble>> {
  const { memory, turn } = ports;
  const { workload, request } = of;
  const open = openTrouble(ports, of) ?? turn?.putOff();
  if (open !== undefined) return failed(open);
  if (request === "list") memory.noteList(workload);
  try {
    const value = await (turn === undefined ? make() : turn.take(make));
    memory.of(workload).troubles.delete(request);
    return ok(value);
  } catch (thrown) {
    return failed(afterFailure(ports, of, thrown));
  }
}

/** What was thrown, remembered as the workload's own; thrown again where it is not, or not only. */
function afterFailure(ports: OwnRequestPorts, of: OwnRequestOf, thrown: unknown): Trouble {
  if (!(thrown instanceof KubeError) || isEverybodys(thrown)) throw thrown;
  const { memory, clock, logger } = ports;
  const { workload, request } = of;
  const { troubles } = memory.of(workload);
  const error = isUnseenPause(thrown) ? asConflict(thrown) : thrown;
  const failures = (troubles.get(request)?.failures ?? 0) + 1;
  const isRepeated = (error.code === "Conflict" || error.code === "NotFound") && failures <= CONFLICTS;
  const waitMs = isRepeated ? 0 : waitFor(error, failures);
  const refusedAt = isRefusal(error) ? workload.resourceVersion : undefined;
  troubles.set(request, { failures, until: clock.now() + waitMs, why: error.message, refusedAt });
  if (isRepeated) throw error;
  const [kind, name] = [workload.kind, objectKey(workload.ref)];
  logger.warn("request for one workload failed", { kind, workload: name, request, failures, afterMs: waitMs, error });
  const trouble = openTrouble(ports, of);
  if (trouble === undefined || error.status === undefined) throw error;
  return trouble;
}

/** The request was not made: nothing is known that was not before. */
export function isPutOff({ failures }: Trouble): boolean {
  return failures === 0;
}

/** Why the request is not made now. */
export function openTrouble({ memory, clock }: Omit<OwnRequestPorts, "logger">, { workload, request }: OwnRequestOf): Trouble | undefined {
  const known = memory.of(workload).troubles.get(request);
  if (known === undefined || known.until <= clock.now()) return undefined;
  return known.refusedAt === undefined || known.refusedAt === workload.resourceVersion ? known : undefined;
}

/** Milliseconds until the first request of the workload may be repeated; undefined where none has failed. */
export function retryIn({ memory, clock }: Omit<OwnRequestPorts, "logger">, workload: Workload): number | undefined {
  const now = clock.now();
  const open = [...memory.of(workload).troubles.values()].filter(({ until }) => until > now);
  return open.length === 0 ? undefined : Math.min(...open.map(({ until }) => until - now));
}

/** Our own policy, which goes by the Namespace as its API server has it, and the beginning of its sentence for a pause. */
const PAUSED_POLICY = {
  name: "keyvault-injector-sync-workloads",
  sentence: "the sync worker cannot restart workloads where restarts are paused",
};

/**
 * A pause that the worker does not see is refused: one of the two has not heard of the Namespace's change yet, and the restart has not failed.
 * The policy gives `Forbidden` as the reason of each of its validations, and `status.details.causes` repeats the message.
 * So the sentence of `manifests/policies/sync-workloads.yaml` is compared.
 */
function isUnseenPause(error: KubeError): boolean {
  const { refuser } = error;
  if (!error.isByPolicy(PAUSED_POLICY.name) || refuser?.kind !== "policy") return false;
  return refuser.sentence?.startsWith(PAUSED_POLICY.sentence) === true;
}

function asConflict({ message, retry, status = 409 }: KubeError): KubeError {
  return new KubeError("Conflict", message, { retry, status });
}

/** The worker's own credentials, or another replica leads. */
function isEverybodys({ code, isUnsent }: KubeError): boolean {
  return isUnsent || code === "Unauthorized" || code === "NotLeading";
}

function isRefusal({ code }: KubeError): boolean {
  return code === "Forbidden" || code === "Invalid";
}

function waitFor(error: KubeError, failures: number): number {
  const { retry, status } = error;
  const answered = isRefusal(error) ? REFUSED : ANSWERED;
  const [first, longest] = status === undefined ? UNANSWERED : answered;
  const wait = Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  return retry.kind === "after" ? Math.max(wait, retry.milliseconds) : wait;
}
