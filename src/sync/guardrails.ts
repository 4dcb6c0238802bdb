import { PREFIX } from "../domain/annotations.ts";
import { OWN_DEPLOYMENT } from "../domain/healing/components.ts";
import { RESOURCES } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { KubeWatcher } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { WORKLOADS } from "../domain/rollout/workload.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { HMAC_KEY_SECRET } from "./hmac-key.ts";
import { workerDeployment } from "./own-deployment.ts";

/** User agent of the probes, so that an audit log tells what is refused on purpose from what is refused by mistake. */
export const PROBE_USER_AGENT = "keyvault-injector-guardrail-probe";

/** The policies that limit the worker where RBAC cannot. */
export const GUARDRAILS = [
  "keyvault-injector-sync-secrets",
  "keyvault-injector-sync-snapshots",
  "keyvault-injector-sync-tokens",
  "keyvault-injector-sync-workloads",
] as const;

export type Guardrail = (typeof GUARDRAILS)[number];

export interface ProbeOptions {
  /** Its requests carry {@link PROBE_USER_AGENT}. */
  readonly kube: KubeClient;
  /** Of the install. */
  readonly namespace: string;
  /** Whether the worker may PUT. */
  readonly isBlind: boolean;
}

type Attempt = (options: ProbeOptions, signal: AbortSignal) => Promise<unknown>;

const NAME = "keyvault-injector-guardrail-probe";
const AUTHORITY_SECRET = "keyvault-injector-ca";
const DRY = { fieldManager: FIELD_MANAGER, dryRun: true };

const secret = (namespace: string, name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { namespace, name }, type: "Opaque" });

const createForeign: Attempt = ({ kube, namespace }, signal) => kube.create(RESOURCES.secrets, secret(namespace, NAME), DRY, signal);

/** The answer to a PUT holds what was sent, and nothing of what is there. */
const replaceForeign: Attempt = async ({ kube, namespace, isBlind }, signal) => {
  if (!isBlind) throw REFUSED;
  return kube.replace(RESOURCES.secrets, secret(namespace, AUTHORITY_SECRET), DRY, signal);
};

const deleteUnmarked: Attempt = async ({ kube, namespace }, signal) => {
  if (!(await kube.delete(RESOURCES.secrets, { namespace, name: HMAC_KEY_SECRET }, { dryRun: true }, signal))) throw REFUSED;
};

const createRevision: Attempt = ({ kube, namespace }, signal) =>
  kube.create(
    RESOURCES.controllerRevisions,
    { apiVersion: "apps/v1", kind: "ControllerRevision", metadata: { namespace, name: NAME }, revision: 1, data: {} },
    DRY,
    signal,
  );

/** Nobody accepts a token for that audience: got by mistake, it is worth nothing. */
const requestToken: Attempt = ({ kube, namespace }, signal) =>
  kube.requestToken({ namespace, name: OWN_DEPLOYMENT }, { audience: NAME, expirationSeconds: 600 }, signal);

/** The worker's own Deployment may be healed; a finalizer is never a part of that. */
const holdDeployment: Attempt = ({ kube, namespace }, signal) =>
  kube.mergePatch(
    WORKLOADS.Deployment,
    { namespace, name: OWN_DEPLOYMENT },
    { metadata: { finalizers: [`${PREFIX}/${NAME}`] } },
    DRY,
    signal,
  );

/** There was nothing to try it on, which is no sign of a missing policy. */
const REFUSED = new KubeError("Forbidden", "not tried", { retry: { kind: "never" } });

const ATTEMPTS: Readonly<Record<Guardrail, readonly Attempt[]>> = {
  "keyvault-injector-sync-secrets": [createForeign, deleteUnmarked, replaceForeign],
  "keyvault-injector-sync-snapshots": [createRevision],
  "keyvault-injector-sync-tokens": [requestToken],
  "keyvault-injector-sync-workloads": [holdDeployment],
};

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
    // Absent, too: there is nothing to try it on.
    if (error instanceof KubeError && (error.code === "Forbidden" || error.code === "NotFound")) return true;
    throw error;
  }
}

function guardrailsMessage(missing: readonly Guardrail[]): string {
  return `nothing stops the sync worker from what ${missing.join(", ")} forbids; apply manifests/policies, and see that each policy is bound with the action Deny`;
}

/** Without them the right to write Secrets is worth more than the operator thinks: nothing begins. */
export async function assertGuarded(options: ProbeOptions, signal: AbortSignal): Promise<void> {
  const missing = await missingGuardrails(options, signal);
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
