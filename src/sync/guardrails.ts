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
}

/** Tries what each policy forbids, without effect. Throws if the answer of the API server shows no result. */
export async function tryGuardrails(options: ProbeOptions, signal: AbortSignal): Promise<Tried> {
  const outcomes: { readonly policy: Guardrail; readonly outcome: Outcome }[] = [];
  for (const policy of GUARDRAILS) outcomes.push({ policy, outcome: await tryAll(options, policy, signal) });
  return {
    missing: outcomes.flatMap(({ policy, outcome }) => (outcome.kind === "through" ? [policy] : [])),
    hidden: outcomes.flatMap(({ policy, outcome }) => (outcome.kind === "hidden" ? [{ policy, refusal: outcome.refusal }] : [])),
  };
}

/** Returns the worst result of the attempts. */
async function tryAll(options: ProbeOptions, guardrail: Guardrail, signal: AbortSignal): Promise<Outcome> {
  let worst: Outcome = { kind: "stopped" };
  for (const attempt of ATTEMPTS[guardrail]) {
    const outcome = await tryOnce(() => attempt(options, signal), [guardrail, ...(ALSO_STOPPED_BY[guardrail] ?? [])]);
    if (outcome.kind === "through") return outcome;
    if (worst.kind === "stopped") worst = outcome;
  }
  return worst;
}

/**
 * Result of an attempt at something forbidden. `stopped`: the policy rejected it, or the worker could not have done it anyway. `through`:
 * nothing rejected it. `hidden`: something else rejected it first, so nothing is known about the policy. `refusal` is the message of that
 * rejection.
 */
type Outcome = { readonly kind: "stopped" } | { readonly kind: "through" } | { readonly kind: "hidden"; readonly refusal: string };

/** Returns the result that the error shows. `ours`: the policies that may reject the attempt. Throws if the error shows no result. */
function outcomeOf(error: unknown, ours: readonly string[]): Outcome {
  if (!(error instanceof KubeError)) throw error;
  const { code, refuser, message } = error;
  if (refuser?.kind === "policy" && ours.includes(refuser.name)) return { kind: "stopped" };
  // No policy is needed if the worker has no permission, or if the object does not exist.
  if (refuser?.kind === "rights" || (refuser === undefined && code === "NotFound")) return { kind: "stopped" };
  if (refuser !== undefined || code === "Forbidden" || code === "Invalid") return { kind: "hidden", refusal: message };
  throw error;
}

async function tryOnce(attempt: () => Promise<unknown>, ours: readonly string[]): Promise<Outcome> {
  try {
    return { kind: (await attempt()) === NOT_TRIED ? "stopped" : "through" };
  } catch (error) {
    return outcomeOf(error, ours);
  }
}

function problemOf({ missing, hidden }: Tried): string | undefined {
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
  const problems = [...through, ...unknown];
  return problems.length === 0 ? undefined : problems.join("; ");
}

/**
 * Throws if policies are missing. Without them, the worker could do more with its permission to write Secrets than the operator expects, so
 * it must not start. Repeats the attempts until the API server's answers show a result.
 */
export async function assertGuarded(options: ProbeOptions & Patience, signal: AbortSignal): Promise<void> {
  const tried = await untilAnswered({ name: "policies", make: () => tryGuardrails(options, signal) }, options, signal);
  const problem = problemOf(tried);
  if (problem !== undefined)
    throw new Error(`GuardrailsMissing: ${problem}; with --secret-access=blind, the worker does not start without these policies`);
}

/** State of the policies. */
export interface Guardrails {
  /** Why the policies are not enough; undefined if they are, or if this is not known yet. */
  readonly problem: string | undefined;
}

export interface KeeperOptions extends ProbeOptions {
  readonly watcher: KubeWatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  /** Called for each policy after every check. `isMissing` is also true if something else hid the result. */
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

export function createPolicyMonitor(options: KeeperOptions): PolicyMonitor {
  let problem: string | undefined;
  const check = async (signal: AbortSignal): Promise<void> => {
    const tried = await tryGuardrails(options, signal);
    const unproven = [...tried.missing, ...tried.hidden.map(({ policy }) => policy)];
    for (const guardrail of GUARDRAILS) options.onKnown(guardrail, unproven.includes(guardrail));
    const now = problemOf(tried);
    if (now !== problem) report(options, now);
    problem = now;
    if (now !== undefined && options.isBlind) throw new Error(`GuardrailsMissing: ${now}`);
  };
  return {
    get problem() {
      return problem;
    },
    run: (signal) => keepChecking(options, check, signal),
  };
}

async function keepChecking(options: KeeperOptions, check: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
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
      await check(signal);
      await options.clock.sleep(checks.shift() ?? AT_REST_MS, AbortSignal.any([signal, rest.signal]));
    } catch (error) {
      if (error instanceof KubeError) {
        options.logger.debug("the policies could not be tested", { error });
        await options.clock.sleep(CHECKS_AFTER_CHANGE_MS[1] ?? 0, signal).catch(() => undefined);
      } else if (!rest.signal.aborted && !signal.aborted) throw error;
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
