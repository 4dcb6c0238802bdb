import { assertNever } from "../../domain/assert-never.ts";
import { type ClassSnapshot, restoredClass } from "../../domain/healing/snapshot.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import { refOfKey } from "../../domain/object-key.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { isAbout } from "../../domain/sync/class-answer.ts";
import { type ClassOutcome, conditionOf, nextStatus, staleMessage, withCondition } from "../../domain/sync/class-status.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { handOver } from "../healing/hand-over.ts";
import { type Action, type Destructive, type Step, type StepResult, UNSETTLED } from "./action.ts";
import { reportFrozen, reportThawed } from "./frozen-class.ts";
import { nextOwnerOf } from "./observe.ts";
import type { ClassPorts, Subject, WritableCaches } from "./ports.ts";
import { arePreconditionsMet } from "./preconditions.ts";
import { report } from "./report.ts";
import { completeClass, handOverClass, saveSnapshot } from "./snapshot-class.ts";
import { mirroredNow } from "./unanswered-edits.ts";

const AT_ONCE: StepResult = { kind: "requeueAfter", milliseconds: 1 };

/** Does the actions of a step in order. Returns the result of the step, or the result of the action that could not continue. */
export async function applyStep(ports: ClassPorts, subject: Subject, { actions, result }: Step, signal: AbortSignal): Promise<StepResult> {
  return (await applyAll(ports, subject, actions, signal)) ?? result;
}

/** Returns undefined after all actions are done. */
async function applyAll(
  ports: ClassPorts,
  subject: Subject,
  actions: readonly (Action | Destructive)[],
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  for (const action of actions) {
    const end = await apply(ports, subject, action, signal);
    if (end !== undefined && end.kind !== "continue") return end;
  }
  return undefined;
}

/** Returns undefined if the next action can follow. */
async function apply(
  ports: ClassPorts,
  subject: Subject,
  action: Action | Destructive,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { key, spc } = subject;
  const { snapshots, statuses, classes, parts } = ports.caches;
  const { states } = ports.memory;
  const ref = refOfKey(key);
  switch (action.kind) {
    case "guarded":
      if (!(await arePreconditionsMet(ports, subject, action.preconditions, signal))) return action.otherwise;
      return applyAll(ports, subject, action.actions, signal);
    case "note":
      states.note(key, action.event);
      return undefined;
    case "forget":
      states.forget(key);
      return undefined;
    case "reset":
      states.reset(key);
      return undefined;
    case "reportFrozen":
      return reportFrozen(ports, ref, signal).then(nothing);
    case "reportThawed":
      return spc && reportThawed(ports, spc, signal).then(nothing);
    case "admit":
      return (await classes.admit(action.spc, signal)) ? AT_ONCE : undefined;
    case "saveSnapshot":
      return (await saveSnapshot(ports, action.spc, signal)) ? undefined : UNSETTLED;
    case "removeSnapshot":
      return snapshots.remove(key, signal).then(nothing);
    case "handOverClass":
      return handOverClass(ports, action.snapshot, signal).then(nothing);
    case "completeClass":
      return completeClass(ports, action, signal).then(nothing);
    case "restoreClass":
      return restoreClass(ports, action.snapshot, signal);
    case "setStatus":
      return setStatus(ports, subject, action, signal);
    case "markStale":
      return statuses.update(ref, (reported) => stale(reported, action, ports.clock.now()), signal).then(nothing);
    case "reportStale":
      return reportStale(ports, subject);
    case "storeStatus":
      return (await statuses.storeUnstored(ref, signal)) ? undefined : action.otherwise;
    case "dropStatus":
      return statuses.remove(ref, signal).then(nothing);
    case "warn":
      return warn(ports, subject, action);
    case "report":
      if (spc !== undefined) report(ports.reporter, spc, action.notice);
      return undefined;
    case "endHints":
      for (const hint of action.hints) parts.hints?.end(key, hint, "current");
      return undefined;
    case "releaseSecret":
    case "removeSecret":
      return letGo(ports, subject, action, signal);
    case "leaveUnrestored":
      ports.reporter.logger.warn(
        "a class was lost with its CRD and is not restored, because --heal excludes classes; its Secrets are kept",
        {
          class: key,
        },
      );
      return undefined;
    case "leaveUnexplained":
      ports.reporter.logger.warn("a class is gone, and no snapshot shows whether the deletion was intentional; its Secrets are kept", {
        class: key,
        secrets: action.secretNames,
      });
      return undefined;
    default:
      return assertNever(action);
  }
}

function nothing(): undefined {
  return undefined;
}

async function setStatus(
  ports: ClassPorts,
  { key, spc }: Subject,
  { outcome, notice }: Extract<Action, { readonly kind: "setStatus" }>,
  signal: AbortSignal,
): Promise<undefined> {
  const { clock, caches, reporter } = ports;
  const isWithoutCopies = caches.secrets.isBlind;
  let isNew = false;
  const change = (reported: ClassStatus | undefined): ClassStatus | undefined => {
    const next = nextStatus({ ...outcome, newer: newerThan(caches, { key, spc }, outcome), isWithoutCopies }, reported, clock.now());
    isNew = next !== undefined;
    return next;
  };
  try {
    await caches.statuses.update(refOfKey(key), change, signal);
  } finally {
    // After a failed write, the next attempt no longer changes the status, so the notice has to be reported now.
    if (isNew && notice !== undefined && spc !== undefined && !signal.aborted) report(reporter, spc, notice);
  }
}

/**
 * Returns the current generation of the class if the outcome is not about the class as it is now. Returns undefined while the CRD is
 * frozen, because the API server may then serve the class with fields removed.
 */
function newerThan(caches: WritableCaches, { key, spc }: Subject, { generation, secrets }: ClassOutcome): number | undefined {
  const current = caches.classes.get(refOfKey(key));
  if (current === undefined || current === spc || caches.cluster.crdHealth.state.kind === "frozen") return undefined;
  const now = mirroredNow(caches, current);
  return now === undefined || isAbout({ observedClassGeneration: generation, secrets }, now) ? undefined : now.generation;
}

function stale(
  reported: ClassStatus | undefined,
  { lastSuccess, maxStale }: Extract<Action, { readonly kind: "markStale" }>,
  now: number,
): ClassStatus | undefined {
  const fresh = conditionOf(reported, "Fresh");
  if (reported === undefined || fresh === undefined || fresh.reason === "Stale") return undefined;
  const why = fresh.status === "True" ? "no check has been made since" : `${fresh.reason}: ${fresh.message}`;
  return withCondition(
    reported,
    { type: "Fresh", status: "False", reason: "Stale", message: staleMessage(lastSuccess, maxStale, why) },
    now,
  );
}

/** Emits an event, once, if the stored status reports the class as stale. */
export function reportStale(
  { caches, memory, reporter }: Pick<ClassPorts, "caches" | "memory" | "reporter">,
  { key, spc }: Subject,
): undefined {
  const fresh = conditionOf(caches.statuses.get(refOfKey(key)), "Fresh");
  const isStale = fresh?.reason === "Stale";
  const wasReported = memory.states.get(key)?.isStaleReported === true;
  memory.states.note(key, { kind: "staleReported", isStale });
  if (isStale && !wasReported && spc !== undefined) report(reporter, spc, { kind: "stale", reason: "Stale", message: fresh.message });
}

/** Reports the problems by an event on the class, once, and again when they change. */
function warn(
  { memory, reporter }: ClassPorts,
  { key, spc }: Subject,
  { topic, problems }: Extract<Action, { readonly kind: "warn" }>,
): undefined {
  const message = problems.join("; ");
  const isNew = memory.states.isNewWarning(key, topic, message);
  if (isNew && spc !== undefined) report(reporter, spc, { kind: "ignored", reason: "InvalidClass", message });
}

type LettingGo = Extract<Destructive, { readonly kind: "releaseSecret" | "removeSecret" }>;

/** Deletes a Secret, returns it to its previous owner, or hands it over to its next owner. */
async function letGo(ports: ClassPorts, { key }: Subject, action: LettingGo, signal: AbortSignal): Promise<StepResult | undefined> {
  const { secretWriter, reporter, caches } = ports;
  const { secret, why } = action;
  const { namespace, name: className } = refOfKey(key);
  const reported = { class: key, secret: secret.ref.name, why };
  if (action.kind === "releaseSecret") {
    reporter.logger.info("returning a Secret to its previous owner", reported);
    return secretWriter.release(secret, signal).then(nothing);
  }
  const { nextOwner } = action;
  if (nextOwnerOf(caches, secret, className) !== nextOwner) return UNSETTLED;
  if (nextOwner === undefined) {
    reporter.logger.info("removing a Secret", reported);
    return secretWriter.delete(secret, signal).then(nothing);
  }
  const nextKey = `${namespace}/${nextOwner}`;
  reporter.logger.info("handing a Secret over to another class that names it", {
    class: key,
    secret: secret.ref.name,
    nextOwner: nextKey,
    why,
  });
  await secretWriter.transfer(secret, nextOwner, signal);
  ports.memory.states.note(nextKey, { kind: "retryAsked", now: ports.clock.now() });
  ports.enqueue(nextKey);
  return undefined;
}

async function restoreClass({ kube, reporter }: ClassPorts, snapshot: ClassSnapshot, signal: AbortSignal): Promise<StepResult | undefined> {
  try {
    const written = { fieldManager: FIELD_MANAGER };
    const made = await kube.create(RESOURCES.secretProviderClasses, restoredClass(snapshot), written, signal);
    reporter.countHealed("restored");
    report(reporter, made, { kind: "restored", reason: "ClassRestored", message: "deleted with its CRD, and recreated from its snapshot" });
    const { managedFields } = snapshot;
    await handOver(kube, { resource: RESOURCES.secretProviderClasses, object: made, managedFields }, signal);
  } catch (error) {
    // Someone else recreated the class first. The watch will show it.
    if (error instanceof KubeError && error.code === "AlreadyExists") return UNSETTLED;
    throw error;
  }
  return undefined;
}
