import { RESOURCES } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { KubeWatcher } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { ATTEMPTS, type Attempt, type ProbeOptions } from "./guardrail-attempts.ts";
import { workerDeployment } from "./own-deployment.ts";
import { type Patience, untilAnswered } from "./until-answered.ts";

/** User agent of the probes, so that an audit log tells what is refused on purpose from what is refused by mistake. */
export const PROBE_USER_AGENT = "keyvault-injector-guardrail-probe";

/** The policies that limit the worker where RBAC cannot. */
export const GUARDRAILS = Object.keys(ATTEMPTS) as readonly Guardrail[]; // The keys of a literal.

export type Guardrail = keyof typeof ATTEMPTS;

/** Tries, without effect, what each policy forbids; resolves with those that stop nothing. Throws where the API server does not say. */
export async function missingGuardrails(options: ProbeOptions, signal: AbortSignal): Promise<readonly Guardrail[]> {
  const missing: Guardrail[] = [];
  for (const guardrail of GUARDRAILS) if (!(await stopsAll(options, guardrail, signal))) missing.push(guardrail);
  return missing;
}

async function stopsAll(options: ProbeOptions, guardrail: Guardrail, signal: AbortSignal): Promise<boolean> {
  for (const attempt of ATTEMPTS[guardrail]) if (!(await isStopped(attempt, options, signal))) return false;
  return true;
}

async function isStopped(attempt: Attempt, options: ProbeOptions, signal: AbortSignal): Promise<boolean> {
  try {
    await attempt(options, signal);
    return false;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    // Absent, too: there is nothing to try it on. What healing may write, the policies refuse as invalid.
    if (error.code === "Forbidden" || error.code === "NotFound") return true;
    if (error.code === "Invalid" && error.message.includes("ValidatingAdmissionPolicy")) return true;
    throw error;
  }
}

function guardrailsMessage(missing: readonly Guardrail[]): string {
  return `nothing stops the sync worker from what ${missing.join(", ")} forbids; apply manifests/policies, and see that each policy is bound with the action Deny`;
}

/** Without them the right to write Secrets is worth more than the operator thinks: nothing begins. Waits for an API server that does not say. */
export async function assertGuarded(options: ProbeOptions & Patience, signal: AbortSignal): Promise<void> {
  const missing = await untilAnswered({ name: "policies", make: () => missingGuardrails(options, signal) }, options, signal);
  if (missing.length > 0) throw new Error(`GuardrailsMissing: ${guardrailsMessage(missing)}; --secret-access=blind does not start without`);
}

/** What is known of the policies. */
export interface Guardrails {
  /** Why they are not enough; undefined while they are, or nobody knows yet. */
  readonly problem: string | undefined;
}

export interface KeeperOptions extends ProbeOptions {
  readonly watcher: KubeWatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  /** Told of each policy after every look. */
  readonly onKnown: (guardrail: Guardrail, isMissing: boolean) => void;
}

export interface GuardrailKeeper extends Guardrails {
  /** Looks at once, after every change of a policy or binding of ours, and hourly. Blind, it rejects where one is missing. */
  run(signal: AbortSignal): Promise<void>;
}

/** The API server goes on by an old policy for a moment after it was changed (milliseconds). */
const LOOKS_AFTER_CHANGE_MS: readonly number[] = [2_000, 8_000];
const AT_REST_MS = 3_600_000;

export function createGuardrailKeeper(options: KeeperOptions): GuardrailKeeper {
  let problem: string | undefined;
  const look = async (signal: AbortSignal): Promise<void> => {
    const missing = await missingGuardrails(options, signal);
    for (const guardrail of GUARDRAILS) options.onKnown(guardrail, missing.includes(guardrail));
    const now = missing.length === 0 ? undefined : guardrailsMessage(missing);
    if (now !== problem) tell(options, now);
    problem = now;
    if (now !== undefined && options.isBlind) throw new Error(`GuardrailsMissing: ${now}`);
  };
  return {
    get problem() {
      return problem;
    },
    run: (signal) => keepLooking(options, look, signal),
  };
}

async function keepLooking(options: KeeperOptions, look: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  let rest = new AbortController();
  let looks = [...LOOKS_AFTER_CHANGE_MS];
  watchPolicies(
    options.watcher,
    () => {
      looks = [...LOOKS_AFTER_CHANGE_MS];
      rest.abort();
    },
    signal,
  );
  while (!signal.aborted) {
    rest = new AbortController();
    try {
      await look(signal);
      await options.clock.sleep(looks.shift() ?? AT_REST_MS, AbortSignal.any([signal, rest.signal]));
    } catch (error) {
      if (error instanceof KubeError) {
        options.logger.debug("the policies could not be tried", { error });
        await options.clock.sleep(LOOKS_AFTER_CHANGE_MS[1] ?? 0, signal).catch(() => undefined);
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

function tell({ events, logger, namespace }: KeeperOptions, problem: string | undefined): void {
  if (problem === undefined) {
    logger.info("the policies stop what they forbid");
    return;
  }
  logger.warn("a policy that limits the worker is missing", { reason: "GuardrailsMissing", detail: problem });
  events.emit({ regarding: workerDeployment(namespace), type: "Warning", reason: "GuardrailsMissing", message: problem });
}
