import { refOfKey } from "../../domain/object-key.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { pollInterval } from "../../domain/schedule/class-annotations.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { SyncMetrics } from "../metrics.ts";
import { answerHints } from "../push/answer-hints.ts";
import type { FetchMirror } from "../vault/mirror.ts";
import { type StepResult, UNSETTLED } from "./action.ts";
import { applyStep } from "./apply.ts";
import { type AtRest, atRest, pollAtRest, type QuietPoll } from "./at-rest.ts";
import { dropRotated } from "./drop-rotated.ts";
import { observe, observeAgain } from "./observe.ts";
import { planClass } from "./plan.ts";
import { type Fetch, type Mirrored, planFetch } from "./plan-fetch.ts";
import { type Fetched, hasFailed, planNext, planReport } from "./plan-report.ts";
import type { EarlierPolls } from "./poll-progress.ts";
import type { ClassPorts } from "./ports.ts";
import type { ClassState } from "./state.ts";
import { writeSecrets } from "./write-secrets.ts";

/** What the reconcile of a class needs. */
export interface Reconciling {
  readonly ports: ClassPorts;
  /** Asks the vault what the class's Secrets should be. */
  readonly mirror: FetchMirror;
  readonly metrics: SyncMetrics;
  readonly logger: Logger;
  /** Uid of the kube-system namespace. */
  readonly cluster: string;
  readonly earlierPolls: EarlierPolls;
  /** By `namespace/name`: those whose last look was a poll that found nothing to do. */
  readonly atRest: Map<string, AtRest>;
  /** From 0 to 1, for spreading retries. */
  readonly random: () => number;
  /** Workloads are restarted, so that somebody keeps the condition `Rotated`. */
  readonly restarts: boolean;
}

/** Reconciles one class (`namespace/name`): observes it, plans, applies; after each wait anew, from what is there then. */
export async function reconcileClass(reconciling: Reconciling, key: string, signal: AbortSignal): Promise<Outcome> {
  const { clock, stores } = reconciling.ports;
  const result = await reconcileOnce(reconciling, key, signal);
  if (!reconciling.restarts) await dropRotated(stores.statuses, refOfKey(key), signal);
  return outcomeOf(result, clock.now());
}

async function reconcileOnce(reconciling: Reconciling, key: string, signal: AbortSignal): Promise<StepResult> {
  const poll = await pollQuietly(reconciling, key, signal);
  if (poll === undefined) return lookAt(reconciling, key, signal);
  return "result" in poll ? poll.result : lookAt({ ...reconciling, mirror: () => Promise.resolve(poll.answer) }, key, signal);
}

async function pollQuietly({ ports, atRest, metrics }: Reconciling, key: string, signal: AbortSignal): Promise<QuietPoll> {
  const resting = atRest.get(key);
  if (resting === undefined) return undefined;
  const stopTimer = metrics.syncDuration.startTimer();
  const poll = await pollAtRest(ports, key, resting, signal);
  if (poll === undefined || "answer" in poll) {
    atRest.delete(key);
    return poll;
  }
  metrics.syncs.inc({ reason: "Synced" });
  stopTimer();
  return poll;
}

async function lookAt(reconciling: Reconciling, key: string, signal: AbortSignal): Promise<StepResult> {
  const { caches, clock } = reconciling.ports;
  const first = observe(caches, key, clock.now());
  const result = await applyStep(reconciling.ports, first, planClass(first, caches.settings), signal);
  const { spc } = first;
  if (result.kind !== "continue" || spc === undefined) return result;
  return reconcileMirrored(reconciling, { ...first, spc }, signal);
}

async function reconcileMirrored(reconciling: Reconciling, before: Mirrored, signal: AbortSignal): Promise<StepResult> {
  const { ports } = reconciling;
  const { caches, clock } = ports;
  const observation = observeAgain(caches, before, clock.now());
  const planned = planFetch(observation, seen(reconciling, observation), caches.settings);
  const result = await applyStep(ports, before, planned, signal);
  if (result.kind !== "continue") return result;
  // The next reconcile tells of the freeze, and asks the vault once the CRD is whole.
  const fetched = planned.fetch && (await fetchAndWrite(reconciling, observation, planned.fetch, signal));
  if (planned.fetch !== undefined && fetched === undefined) return UNSETTLED;
  const after = observeAgain(caches, before, clock.now());
  const end = await applyStep(ports, before, planNext(after, seen(reconciling, after), caches.settings), signal);
  const resting = fetched && end.kind === "requeueAt" ? atRest(caches, after, fetched) : undefined;
  if (resting !== undefined) reconciling.atRest.set(after.key, resting);
  return end;
}

function seen({ ports, cluster, earlierPolls }: Reconciling, { key, spc, status, now }: Mirrored): ClassState {
  const interval = pollInterval(spc, ports.caches.settings.rotationPollInterval);
  const polledUntil = earlierPolls.of(key);
  const state = ports.stores.states.note(key, { kind: "seen", sight: { cluster, key, spc, interval, status, polledUntil, now } });
  if (state === undefined) throw new Error(`the class ${key} was seen, and is not known`);
  return state;
}

/**
 * Asks the vault, writes what differs, then says in status and event how it went. Undefined where the CRD went while the vault was asked:
 * nothing is changed because of a class then, and the answer is dropped.
 */
async function fetchAndWrite(
  reconciling: Reconciling,
  observation: Mirrored,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Fetched | undefined> {
  const { ports, metrics, logger, mirror, random } = reconciling;
  const { caches, clock, secretWriter, stores, teller } = ports;
  const { key, spc, now: began } = observation;
  logger.debug("asking the vault", { class: key, need: fetch.trigger });
  const stopTimer = metrics.syncDuration.startTimer();
  const writing = { caches, states: stores.states, secretWriter, teller, repairs: metrics.driftRepairs, clock };
  ports.hints?.began(key, fetch.hints);
  const answer = await mirror(spc, fetch.fetchRequest, signal);
  if (caches.crdHealth.state.kind === "frozen") return undefined;
  const { secrets, retry: writeRetry } = await writeSecrets(writing, { key, spc, trigger: fetch.trigger }, answer, signal);
  const isWell = answer.kind === "answered" && answer.notFresh === undefined && !secrets.some(hasFailed);
  const unguarded = caches.cluster.guardrails.problem;
  const fetched: Fetched = { fetch, began, answer, secrets, writeRetry, unguarded, spread: isWell ? 0 : random() };
  const after = { ...observation, now: clock.now() };
  const report = planReport(after, seen(reconciling, after), { fetched, settings: caches.settings });
  metrics.syncs.inc({ reason: report.outcome.reason });
  await applyStep(ports, observation, report, signal);
  if (ports.hints !== undefined) answerHints(ports.hints, key, { hints: fetch.hints, answer, secrets });
  stopTimer();
  return fetched;
}

/** As the queue takes it; `continue` is nothing that it knows. */
function outcomeOf(result: StepResult, now: number): Outcome {
  if (result.kind === "requeueAt") return { kind: "requeueAfter", milliseconds: Math.max(1, result.at - now) };
  return result.kind === "continue" ? { kind: "done" } : result;
}
