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

/** What the reconcile of a class needs. */
export interface Reconciling {
  readonly ports: ClassPorts;
  /** Asks the vault what the class's Secrets should be. */
  readonly mirror: FetchMirror;
  /** `random`: from 0 to 1, for spreading retries. */
  readonly process: { readonly metrics: SyncMetrics; readonly logger: Logger; readonly random: () => number };
  /** Uid of the kube-system namespace. */
  readonly cluster: string;
  readonly earlierPolls: EarlierPolls;
  /** By `namespace/name`: classes whose last reconcile was a poll that found nothing to do. */
  readonly classesAtRest: Map<string, AtRest>;
  /** Of a question to the vault that has begun already. */
  readonly stopTimer?: () => void;
  /** Workloads are restarted, so that somebody keeps the condition `Rotated`. */
  readonly restarts: boolean;
}

/** Reconciles one class (`namespace/name`): observes it, plans, applies; after each wait anew, from what is there then. */
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
  // The question of which the poll has waited for the answer goes on.
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
  // The next reconcile tells of the freeze, and asks the vault once the CRD is whole.
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
 * Asks the vault, writes what differs, then says in status and event how it went. Undefined where the CRD went while the vault was asked:
 * nothing is changed because of a class then, and the answer is dropped.
 */
async function fetchAndWrite(
  reconciling: Reconciling,
  observation: Mirrored,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<FetchOutcome | undefined> {
  const { ports, mirror } = reconciling;
  const { metrics, logger, random } = reconciling.process;
  const { caches, clock, secretWriter, memory, teller } = ports;
  const { hints } = caches.parts;
  const { key, spc, now: began } = observation;
  logger.debug("asking the vault", { class: key, need: fetch.trigger });
  const { stopTimer = metrics.syncDuration.startTimer() } = reconciling;
  const writing = { caches, states: memory.states, secretWriter, teller, repairs: metrics.driftRepairs, clock };
  hints?.began(key, fetch.hints);
  const answer = await mirror(spc, fetch.fetchRequest, signal);
  if (caches.cluster.crdHealth.state.kind === "frozen") return undefined;
  const { secrets, retry: writeRetry } = await writeSecrets(writing, { key, spc, trigger: fetch.trigger }, answer, signal);
  const isWell = answer.kind === "answered" && answer.notFresh === undefined && !secrets.some(hasFailed);
  const unguarded = caches.cluster.guardrails.problem;
  const fetched: FetchOutcome = { fetch, began, answer, secrets, writeRetry, unguarded, spread: isWell ? 0 : random() };
  const after = { ...observation, now: clock.now() };
  const report = planReport(after, seen(reconciling, after), { fetched, settings: caches.settings });
  metrics.syncs.inc({ reason: report.outcome.reason });
  await applyStep(ports, observation, report, signal);
  if (hints !== undefined) answerHints(hints, key, { hints: fetch.hints, answer, secrets });
  stopTimer();
  return fetched;
}

/** As the queue takes it; `continue` is nothing that it knows. */
function outcomeOf(result: StepResult, now: number): Outcome {
  if (result.kind === "requeueAt") return { kind: "requeueAfter", milliseconds: Math.max(1, result.at - now) };
  return result.kind === "continue" ? { kind: "done" } : result;
}
