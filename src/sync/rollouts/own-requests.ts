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
  /** Limit on the requests that a reconcile begins; undefined for no limit. */
  readonly turn?: ReconcileTurn;
}

/** Total time in milliseconds after which a reconcile begins no further request. The last request that it began can take longer. */
const TURN_MS = 5_000;

/** Time limit for the requests of one reconcile, which makes them one after the other while other namespaces wait for its queue worker. */
class ReconcileTurn {
  readonly #clock: Clock;
  #spentMs = 0;
  #hasPutOff = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a request is left for the next reconcile. */
  get hasPutOff(): boolean {
    return this.#hasPutOff;
  }

  /** Returns why a request waits for the next reconcile; undefined if it can begin. */
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
/** The cause is usually a policy, which only people change. */
const REFUSED: Waits = [60_000, 60_000];
/** Each attempt takes as long as a request can take. */
const UNANSWERED: Waits = [30_000, 120_000];

/**
 * Number of conflicts in a row after each of which the worker repeats the reconcile at once: someone wrote the workload in between, and the
 * watch will soon show its new state.
 */
const CONFLICTS = 3;

/** Returns the context of a reconcile, or of a part of it, with a separate time limit for requests. */
export function inTurn<Context extends { readonly writer: OwnRequestPorts }>(
  context: Context,
): Context & { readonly writer: { readonly turn: ReconcileTurn } } {
  return { ...context, writer: { ...context.writer, turn: new ReconcileTurn(context.writer.clock) } };
}

/**
 * Makes a request for a single workload. If it fails, only that workload is in trouble, and not its neighbors: this returns and remembers
 * the trouble, and the worker does not repeat the request for a while. Throws errors that affect all workloads. An error without an answer
 * is both remembered and thrown. A reconcile therefore waits for one such request at most, and the next reconcile skips it.
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

/** Remembers the error as the workload's own and returns it. Throws it if it is not, or not only, the workload's own. */
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

/** Whether the worker did not make the request, so that it learned nothing new. */
export function isPutOff({ failures }: Trouble): boolean {
  return failures === 0;
}

/** Returns why the worker does not make the request now; undefined if it can. */
export function openTrouble({ memory, clock }: Omit<OwnRequestPorts, "logger">, { workload, request }: OwnRequestOf): Trouble | undefined {
  const known = memory.of(workload).troubles.get(request);
  if (known === undefined || known.until <= clock.now()) return undefined;
  return known.refusedAt === undefined || known.refusedAt === workload.resourceVersion ? known : undefined;
}

/** Returns the time in milliseconds until the worker can repeat the first failed request of the workload; undefined if there is none. */
export function retryIn({ memory, clock }: Omit<OwnRequestPorts, "logger">, workload: Workload): number | undefined {
  const now = clock.now();
  const open = [...memory.of(workload).troubles.values()].filter(({ until }) => until > now);
  return open.length === 0 ? undefined : Math.min(...open.map(({ until }) => until - now));
}

/** The install's own policy, which uses the Namespace as its API server has it, and the beginning of its message about a pause. */
const PAUSED_POLICY = {
  name: "keyvault-injector-sync-workloads",
  sentence: "the sync worker cannot restart workloads where restarts are paused",
};

/**
 * Whether the policy rejected a restart because of a pause that the worker does not see. Either the worker or the API server has not
 * received the change of the Namespace yet, so the restart has not failed. The policy gives `Forbidden` as the reason of each of its
 * validations, and `status.details.causes` repeats the message. This therefore compares the sentence of
 * `manifests/policies/sync-workloads.yaml`.
 */
function isUnseenPause(error: KubeError): boolean {
  const { refuser } = error;
  if (!error.isByPolicy(PAUSED_POLICY.name) || refuser?.kind !== "policy") return false;
  return refuser.sentence?.startsWith(PAUSED_POLICY.sentence) === true;
}

function asConflict({ message, retry, status = 409 }: KubeError): KubeError {
  return new KubeError("Conflict", message, { retry, status });
}

/**
 * Whether the error affects all workloads: the request was not sent, the API server does not accept the worker's credentials, or another
 * replica leads.
 */
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
