import { workerDeployment } from "../domain/healing/components.ts";
import { RESOURCES } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { KubeWatcher } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { ALSO_STOPPED_BY, ATTEMPTS, NOT_TRIED, type ProbeOptions } from "./guardrail-attempts.ts";
import { type Patience, untilAnswered } from "./patience.ts";

/** User agent of the probes. It allows a user of the audit log to distinguish intended rejections from those by mistake. */
export const PROBE_USER_AGENT = "keyvault-injector-guardrail-probe";

/** Policies that limit the worker where RBAC cannot. */
export const GUARDRAILS = Object.keys(ATTEMPTS) as readonly Guardrail[]; // The keys of a literal.

export type Guardrail = keyof typeof ATTEMPTS;

/** Results of the attempts. */
export interface Tried {
  /** Policies that did not reject an attempt. */
  readonly missing: readonly Guardrail[];
  /** Policies of which nothing is known, because something else rejects the attempt first. */
  readonly hidden: readonly { readonly policy: Guardrail; readonly refusal: string }[];
  /** Policies of which nothing is known, because the API server did not process an attempt. */
  readonly untested: readonly { readonly policy: Guardrail; readonly error: KubeError }[];
}

/** Tries what each policy forbids, without effect. */
export async function tryGuardrails(options: ProbeOptions, signal: AbortSignal): Promise<Tried> {
  return triedOf(await tryEach(options, signal));
}

async function tryEach(options: ProbeOptions, signal: AbortSignal): Promise<ReadonlyMap<Guardrail, Outcome>> {
  const outcomes = new Map<Guardrail, Outcome>();
  for (const policy of GUARDRAILS) outcomes.set(policy, await tryAll(options, policy, signal));
  return outcomes;
}

function triedOf(outcomes: ReadonlyMap<Guardrail, Outcome>): Tried {
  const all = [...outcomes];
  return {
    missing: all.flatMap(([policy, { kind }]) => (kind === "through" ? [policy] : [])),
    hidden: all.flatMap(([policy, outcome]) => (outcome.kind === "hidden" ? [{ policy, refusal: outcome.refusal }] : [])),
    untested: all.flatMap(([policy, outcome]) => (outcome.kind === "untested" ? [{ policy, error: outcome.error }] : [])),
  };
}

/** Returns the worst result of the attempts. `hidden` is worse than `untested`, because it does not pass by itself. */
async function tryAll(options: ProbeOptions, guardrail: Guardrail, signal: AbortSignal): Promise<Outcome> {
  let worst: Outcome = { kind: "stopped" };
  for (const attempt of ATTEMPTS[guardrail]) {
    const outcome = await tryOnce(() => attempt(options, signal), [guardrail, ...(ALSO_STOPPED_BY[guardrail] ?? [])], signal);
    if (outcome.kind === "through") return outcome;
    if (worst.kind === "stopped" || (worst.kind === "untested" && outcome.kind === "hidden")) worst = outcome;
  }
  return worst;
}

/**
 * Result of an attempt at something forbidden. `stopped`: the policy rejected it, or the worker could not have done it anyway. `through`:
 * nothing rejected it. `hidden`: something else rejected it first, so nothing is known about the policy. `refusal` is the message of that
 * rejection. `untested`: the API server did not process it, for example because it was overloaded, or because a webhook did not respond.
 */
type Outcome =
  | { readonly kind: "stopped" | "through" }
  | { readonly kind: "hidden"; readonly refusal: string }
  | { readonly kind: "untested"; readonly error: KubeError };

/** Returns the result that the error shows. `ours`: the policies that may reject the attempt. Throws an error of another origin. */
function outcomeOf(error: unknown, ours: readonly string[]): Outcome {
  if (!(error instanceof KubeError)) throw error;
  const { code, refuser, message } = error;
  if (refuser?.kind === "policy" && ours.includes(refuser.name)) return { kind: "stopped" };
  // No policy is needed if the worker has no permission, or if the object does not exist.
  if (refuser?.kind === "rights" || (refuser === undefined && code === "NotFound")) return { kind: "stopped" };
  if (refuser !== undefined || code === "Forbidden" || code === "Invalid") return { kind: "hidden", refusal: message };
  return { kind: "untested", error };
}

async function tryOnce(attempt: () => Promise<unknown>, ours: readonly string[], signal: AbortSignal): Promise<Outcome> {
  try {
    return { kind: (await attempt()) === NOT_TRIED ? "stopped" : "through" };
  } catch (error) {
    signal.throwIfAborted();
    return outcomeOf(error, ours);
  }
}

/**
 * Time in milliseconds after which the worker reports that it cannot test a policy, as the message says. An overloaded API server usually
 * recovers sooner.
 */
const LONGEST_UNTESTED_MS = 600_000;

function problemOf({ missing, hidden, untested }: Tried): string | undefined {
  const through =
    missing.length === 0
      ? []
      : [
          `the sync worker is able to do what ${missing.join(", ")} should prevent; apply manifests/policies, and make sure that each policy is bound with the action Deny`,
        ];
  const [first] = hidden;
  const unknown =
    first === undefined
      ? []
      : [
          `another policy or webhook rejects the sync worker's tests, so the worker cannot determine whether ${hidden.map(({ policy }) => policy).join(", ")} would reject them (${first.refusal}); exempt the sync worker's account there`,
        ];
  const [unanswered] = untested;
  const late =
    unanswered === undefined
      ? []
      : [
          `the API server has not processed the sync worker's tests of ${untested.map(({ policy }) => policy).join(", ")} for 10 minutes (${unanswered.error.message}); resolve this error`,
        ];
  const problems = [...through, ...unknown, ...late];
  return problems.length === 0 ? undefined : problems.join("; ");
}

/**
 * Throws if policies are missing. Without them, the worker could do more with its permission to write Secrets than the operator expects, so
 * it must not start. Repeats the attempts until the API server's answers show a result for every policy, or that one is missing.
 */
export async function assertGuarded(options: ProbeOptions & Patience, signal: AbortSignal): Promise<void> {
  const make = async (): Promise<void> => {
    const tried = await tryGuardrails(options, signal);
    const problem = provenProblemOf(tried);
    if (problem !== undefined)
      throw new Error(`GuardrailsMissing: ${problem}; with --secret-access=blind, the worker does not start without these policies`);
    const [unanswered] = tried.untested;
    if (unanswered !== undefined) throw unanswered.error;
  };
  await untilAnswered({ name: "policies", make }, options, signal);
}

/** Returns the problem as far as answers of the API server show it. A blind worker does not run with it. */
function provenProblemOf(tried: Tried): string | undefined {
  return problemOf({ ...tried, untested: [] });
}

/** State of the policies. */
export interface Guardrails {
  /**
   * Undefined before the tests have shown it. `problem`: why the policies are not enough; undefined if they are. The object is replaced
   * only if it changes.
   */
  readonly known: { readonly problem: string | undefined } | undefined;
}

export interface KeeperOptions extends ProbeOptions {
  readonly watcher: KubeWatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  /** Called after every check for each policy that has a result. `isMissing` is also true if something else hid the result. */
  readonly onKnown: (guardrail: Guardrail, isMissing: boolean) => void;
}

export interface PolicyMonitor extends Guardrails {
  /**
   * Checks the policies at the start, after every change of a policy or binding of the install, and hourly. If the worker is blind, rejects
   * as soon as a policy is missing.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Pauses in milliseconds between the checks after a change: the API server uses an old policy for a moment after the change. */
const CHECKS_AFTER_CHANGE_MS: readonly number[] = [2_000, 8_000];
const AT_REST_MS = 3_600_000;
/** Pause in milliseconds before the next check if the API server did not process a test. */
const UNTESTED_MS = 60_000;

export function createPolicyMonitor(options: KeeperOptions): PolicyMonitor {
  const results = new TestResults();
  let known: Guardrails["known"];
  let reported: string | undefined;
  /** Returns whether every test had a result. */
  const check = async (signal: AbortSignal): Promise<boolean> => {
    const outcomes = await tryEach(options, signal);
    const { untested } = triedOf(outcomes);
    for (const { policy, error } of untested) options.logger.debug("a policy could not be tested", { policy, error });
    results.note(outcomes, options.clock.now());
    for (const [guardrail, { kind }] of results.last) options.onKnown(guardrail, kind !== "stopped");
    const tried = triedOf(results.last);
    const problem = problemOf(tried);
    const isKnown = problem !== undefined || results.last.size === GUARDRAILS.length;
    if (!isKnown) known = undefined;
    else if (known === undefined || known.problem !== problem) known = { problem };
    if (isKnown && problem !== reported) report(options, problem);
    if (isKnown) reported = problem;
    const proven = provenProblemOf(tried);
    if (proven !== undefined && options.isBlind) throw new Error(`GuardrailsMissing: ${proven}`);
    return untested.length === 0;
  };
  return {
    get known() {
      return known;
    },
    run: (signal) => keepChecking(options, check, signal),
  };
}

/** Results of the tests over time. */
class TestResults {
  readonly #last = new Map<Guardrail, Outcome>();
  /** For policies whose last tests had no result: the first of these tests. Times are Unix milliseconds. */
  readonly #unanswered = new Map<Guardrail, { readonly outcome: Outcome; readonly since: number }>();

  /** The last result of each policy that has one. A policy is `untested` after a time without results, unless it is known to be missing. */
  get last(): ReadonlyMap<Guardrail, Outcome> {
    return this.#last;
  }

  note(outcomes: ReadonlyMap<Guardrail, Outcome>, now: number): void {
    for (const [policy, outcome] of outcomes) {
      if (outcome.kind !== "untested") {
        this.#unanswered.delete(policy);
        this.#last.set(policy, outcome);
        continue;
      }
      const first = this.#unanswered.get(policy) ?? { outcome, since: now };
      this.#unanswered.set(policy, first);
      const isProven = (this.#last.get(policy)?.kind ?? "stopped") !== "stopped";
      if (!isProven && now - first.since >= LONGEST_UNTESTED_MS) this.#last.set(policy, first.outcome);
    }
  }
}

async function keepChecking(options: KeeperOptions, check: (signal: AbortSignal) => Promise<boolean>, signal: AbortSignal): Promise<void> {
  let rest = new AbortController();
  let checks = [...CHECKS_AFTER_CHANGE_MS];
  watchPolicies(
    options.watcher,
    () => {
      checks = [...CHECKS_AFTER_CHANGE_MS];
      rest.abort();
    },
    signal,
  );
  while (!signal.aborted) {
    rest = new AbortController();
    try {
      const isComplete = await check(signal);
      await options.clock.sleep(checks.shift() ?? (isComplete ? AT_REST_MS : UNTESTED_MS), AbortSignal.any([signal, rest.signal]));
    } catch (error) {
      if (!rest.signal.aborted && !signal.aborted) throw error;
    }
  }
}

function watchPolicies(watcher: KubeWatcher, onChange: () => void, signal: AbortSignal): void {
  const labelSelector = "app.kubernetes.io/name=keyvault-injector";
  for (const resource of [RESOURCES.validatingAdmissionPolicies, RESOURCES.validatingAdmissionPolicyBindings]) {
    watcher.reflect({ resource, labelSelector, project: ({ metadata }) => metadata.generation ?? 0, onChange }, signal);
  }
}

function report({ events, logger, namespace }: KeeperOptions, problem: string | undefined): void {
  if (problem === undefined) {
    logger.info("the policies deny what they forbid");
    return;
  }
  logger.warn("a policy that limits the worker is missing", { reason: "GuardrailsMissing", detail: problem });
  events.emit({ regarding: workerDeployment(namespace), type: "Warning", reason: "GuardrailsMissing", message: problem });
}
