import { refOfKey } from "../../domain/object-key.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { pollInterval } from "../../domain/schedule/class-annotations.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { SyncMetrics } from "../metrics.ts";
import { answerHints } from "../push/answer-hints.ts";
import type { FetchMirror } from "../vault/mirror.ts";
import { type StepResult, UNSETTLED } from "./action.ts";
import { applyStep } from "./apply.ts";
import { type AtRest, classAtRest, pollAtRest } from "./at-rest.ts";
import { dropRotated } from "./drop-rotated.ts";
import { observeAgain, observeClass } from "./observe.ts";
import { planClass } from "./plan.ts";
import { type Fetch, type Mirrored, planFetch } from "./plan-fetch.ts";
import { type FetchOutcome, hasFailed, planNext, planReport } from "./plan-report.ts";
import type { EarlierPolls } from "./poll-progress.ts";
import type { ClassPorts } from "./ports.ts";
import type { ClassState } from "./state.ts";
import { writeSecrets } from "./write-secrets.ts";

/** Dependencies of the reconcile of a class. */
export interface Reconciling {
  readonly ports: ClassPorts;
  /** Queries the vault for the desired Secrets of the class. */
  readonly mirror: FetchMirror;
  /** `random`: returns a number from 0 to 1 that spreads retries. */
  readonly process: { readonly metrics: SyncMetrics; readonly logger: Logger; readonly random: () => number };
  /** Uid of the kube-system namespace. */
  readonly cluster: string;
  readonly earlierPolls: EarlierPolls;
  /** Classes (`namespace/name`) whose last reconcile was a poll that found nothing to do. */
  readonly classesAtRest: Map<string, AtRest>;
  /** Stops the timer of a query to the vault that has already begun. */
  readonly stopTimer?: () => void;
  /** Whether the worker restarts workloads, and therefore maintains the condition `Rotated`. */
  readonly restarts: boolean;
}

/** Reconciles one class (`namespace/name`): observes, plans, and applies. After each wait, it continues with a new observation. */
export async function reconcileClass(reconciling: Reconciling, key: string, signal: AbortSignal): Promise<Outcome> {
  const { clock, caches } = reconciling.ports;
  const result = await reconcileOnce(reconciling, key, signal);
  if (!reconciling.restarts) await dropRotated(caches.statuses, refOfKey(key), signal);
  return outcomeOf(result, clock.now());
}

async function reconcileOnce(reconciling: Reconciling, key: string, signal: AbortSignal): Promise<StepResult> {
  const { ports, classesAtRest } = reconciling;
  const { metrics } = reconciling.process;
  const resting = classesAtRest.get(key);
  if (resting === undefined) return reconcileAnew(reconciling, key, signal);
  const stopTimer = metrics.syncDuration.startTimer();
  const poll = await pollAtRest(ports, { key, resting }, signal);
  if (poll?.kind === "requeueAt") {
    metrics.syncs.inc({ reason: "Synced" });
    stopTimer();
    return poll;
  }
  classesAtRest.delete(key);
  // The query of the poll was already refused. The reconcile uses this answer.
  const mirror = poll === undefined ? reconciling.mirror : () => Promise.resolve(poll);
  return reconcileAnew({ ...reconciling, mirror, stopTimer }, key, signal);
}

async function reconcileAnew(reconciling: Reconciling, key: string, signal: AbortSignal): Promise<StepResult> {
  const { caches, clock } = reconciling.ports;
  const first = observeClass(caches, key, clock.now());
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
  // The next reconcile reports the freeze, and queries the vault after the CRD is whole again.
  const fetched = planned.fetch && (await fetchAndWrite(reconciling, observation, planned.fetch, signal));
  if (planned.fetch !== undefined && fetched === undefined) return UNSETTLED;
  const after = observeAgain(caches, before, clock.now());
  const end = await applyStep(ports, before, planNext(after, seen(reconciling, after), caches.settings), signal);
  const resting =
    fetched && end.kind === "requeueAt" ? classAtRest(caches.settings, { planned: observation, now: after }, fetched) : undefined;
  if (resting !== undefined) reconciling.classesAtRest.set(after.key, resting);
  return end;
}

function seen({ ports, cluster, earlierPolls }: Reconciling, { key, spc, status, now }: Mirrored): ClassState {
  const interval = pollInterval(spc, ports.caches.settings.rotationPollInterval);
  const polledUntil = earlierPolls.of(key);
  const state = ports.memory.states.note(key, { kind: "seen", sight: { cluster, key, spc, interval, status, polledUntil, now } });
  if (state === undefined) throw new Error(`the class ${key} was seen, and is not known`);
  return state;
}

/**
 * Queries the vault, writes what differs, and reports the result in the status and an event. Returns undefined if the CRD was frozen during
 * the query: the worker then changes nothing because of a class, and drops the answer.
 */
async function fetchAndWrite(
  reconciling: Reconciling,
  observation: Mirrored,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<FetchOutcome | undefined> {
  const { ports, mirror } = reconciling;
  const { metrics, logger, random } = reconciling.process;
  const { caches, clock, secretWriter, memory, reporter } = ports;
  const { hints } = caches.parts;
  const { key, spc, now: began } = observation;
  logger.debug("asking the vault", { class: key, need: fetch.trigger });
  const { stopTimer = metrics.syncDuration.startTimer() } = reconciling;
  const writing = { caches, states: memory.states, secretWriter, reporter, repairs: metrics.driftRepairs, clock };
  hints?.began(key, fetch.hints);
  const answer = await mirror(spc, fetch.fetchRequest, signal);
  if (caches.cluster.crdHealth.state.kind === "frozen") return undefined;
  const { secrets, retry: writeRetry } = await writeSecrets(writing, { key, spc, trigger: fetch.trigger }, answer, signal);
  const isWell = answer.kind === "answered" && answer.notFresh === undefined && !secrets.some(hasFailed);
  const guardrails = caches.cluster.guardrails.known;
  const fetched: FetchOutcome = { fetch, began, answer, secrets, writeRetry, guardrails, spread: isWell ? 0 : random() };
  const after = { ...observation, now: clock.now() };
  const report = planReport(after, seen(reconciling, after), { fetched, settings: caches.settings });
  metrics.syncs.inc({ reason: report.outcome.reason });
  await applyStep(ports, observation, report, signal);
  if (hints !== undefined) answerHints(hints, key, { hints: fetch.hints, answer, secrets });
  stopTimer();
  return fetched;
}

/** Converts a result for the queue, which knows neither `requeueAt` nor `continue`. */
function outcomeOf(result: StepResult, now: number): Outcome {
  if (result.kind === "requeueAt") return { kind: "requeueAfter", milliseconds: Math.max(1, result.at - now) };
  return result.kind === "continue" ? { kind: "done" } : result;
}
