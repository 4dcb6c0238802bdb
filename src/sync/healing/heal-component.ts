import { assertNever } from "../../domain/assert-never.ts";
import { type ComponentDrift, componentDrift, type DriftRemark, isOfOwnersAlone } from "../../domain/healing/component-drift.ts";
import { type Component, isOwnDeployment } from "../../domain/healing/components.ts";
import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { crdDrift } from "../../domain/healing/crd-drift.ts";
import { type DeletionVerdict, deletionVerdict } from "../../domain/healing/deletion.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import { findByName } from "../find-by-name.ts";
import type { Damage } from "./component-memory.ts";
import { again, DONE, type HealContext, MAX_SHOWN, MOVING_MS, type ObservedComponent } from "./heal-context.ts";
import { areRightsWhole, isAlive, isGoing, readInstall } from "./install-state.ts";
import { describeDamage, finishDefinition, finishRepair, repair, saveCopy } from "./repair-component.ts";
import { restartHolders } from "./restart-holders.ts";

/**
 * Time in milliseconds until the next reconcile of a deleted component while something indicates an uninstall, such as the absence of the
 * worker's own Deployment.
 */
const WAITING_MS = 5_000;
/** Reconciles one component, with at most one repair. */
export async function healComponent(
  context: HealContext,
  { component, memory }: Omit<ObservedComponent, "live">,
  signal: AbortSignal,
): Promise<Outcome> {
  const live = await findByName(context.kube, component, signal);
  const observed: ObservedComponent = { component, memory, live };
  const drift = driftOf(context, observed);
  if (drift.kind !== "deleted") memory.absentSince = undefined;
  if (component.treatment === "crd" && !isForReport(context, component, live)) return DONE;
  switch (drift.kind) {
    case "unknown":
      return DONE;
    case "untouched":
      if (!(await finishRepair(context, observed, signal))) return again(MOVING_MS);
      await restartHolders(context, observed, signal);
      return settled(context, observed, drift.remarks);
    case "installed": {
      if (component.treatment === "crd") return DONE;
      memory.mayBeHalfRepaired = false;
      await saveCopy(context, observed, signal);
      await restartHolders(context, observed, signal);
      return settled(context, observed);
    }
    case "terminating":
    case "edited":
    case "deleted":
      // The content of the CRD is as its installer left it. A change of owners alone does no harm.
      if (component.treatment === "crd" && drift.kind === "edited" && isOfOwnersAlone(drift))
        return (await finishDefinition(context, observed, signal)) ? settled(context, observed) : again(MOVING_MS);
      return component.treatment === "healed" ? heal(context, observed, drift, signal) : reportOnly(context, observed, drift, signal);
    default:
      return assertNever(drift);
  }
}

/** Compares the component with its copy. The worker's own writes under an installer's name do not count as writes of the installer. */
function driftOf({ copies }: HealContext, { component, memory, live }: ObservedComponent): ComponentDrift {
  const known = copies.get(component.id);
  return componentDrift(known, live === undefined || known === undefined ? live : memory.asInstalled(live, known));
}

/**
 * Whether to report what others added to a CRD. Other code heals CRDs that are not whole, but leaves a whole CRD unchanged, even if it
 * contains more than its installer wanted.
 */
function isForReport({ crds, copies }: HealContext, { id, ref }: Component, live: KubeObject | undefined): boolean {
  const ours = crds.find(({ metadata }) => metadata.name === ref.name);
  const found = live as CustomResourceDefinition | undefined; // The component is a CRD.
  return ours !== undefined && copies.get(id) !== undefined && crdDrift(ours, found).kind === "whole";
}

/** Returns the outcome for a component without damage. A contest is over if no one has undone a repair for a while. */
function settled({ clock, report }: HealContext, { component, memory }: ObservedComponent, remarks: readonly DriftRemark[] = []): Outcome {
  const contested = memory.noteWhole(clock.now());
  if (contested !== undefined) return again(Math.max(MOVING_MS, contested - clock.now()));
  const accepted = remarks.find(({ kind }) => kind === "accepted");
  if (accepted === undefined) report.whole(component);
  else
    report.damaged(
      component,
      "ComponentDamaged",
      `${shown(accepted)}, is older than the worker's first copy, so the worker leaves it; ${ASK_INSTALLER}`,
    );
  const tolerated = remarks.find(({ kind }) => kind === "tolerated");
  report.tolerated(component, tolerated === undefined ? undefined : shown(tolerated));
  return DONE;
}

const ASK_INSTALLER = "set it in your installation's values or manifests, or remove it";

function shown({ fields, by }: DriftRemark): string {
  return `${shownNames(fields, MAX_SHOWN)}, by ${by}`;
}

/** Reports damage that only people repair: roles, policies and the Namespace limit the worker, so the worker does not write them. */
async function reportOnly(context: HealContext, observed: ObservedComponent, drift: Damage, signal: AbortSignal): Promise<Outcome> {
  if (isGoing(await readInstallOrNothing(context, signal))) return DONE;
  // An apply does not remove fields that its manager does not own.
  const more = drift.kind === "edited" && drift.added !== undefined ? ", and remove what was added" : "";
  context.report.damaged(observed.component, "ComponentDamaged", `${describeDamage(drift)}; apply the manifests again${more}`);
  return DONE;
}

/**
 * Reads the state of the install. Without permissions, the worker cannot know of an uninstall, and then reports the missing permissions as
 * damage.
 */
async function readInstallOrNothing(context: HealContext, signal: AbortSignal): ReturnType<typeof readInstall> {
  try {
    return await readInstall(context, signal);
  } catch (error) {
    if (error instanceof KubeError && error.code === "Forbidden")
      return { isNamespaceAlive: true, ownDeployment: undefined, isPrepared: false };
    throw error;
  }
}

async function heal(context: HealContext, observed: ObservedComponent, drift: Damage, signal: AbortSignal): Promise<Outcome> {
  switch (drift.kind) {
    case "terminating":
      return reportTerminating(context, observed, drift);
    case "edited": {
      return isGoing(await readInstall(context, signal)) ? DONE : repair(context, observed, drift, signal);
    }
    case "deleted": {
      const verdict = await judgeDeletion(context, observed, signal);
      if (verdict.kind === "wait") return again(verdict.milliseconds);
      if (verdict.kind === "restore") return repair(context, observed, drift, signal);
      // Try again later: the worker's own Deployment may be restored first. The watch of the Namespace shows if a prepared uninstall or the
      // deletion of the Namespace ends.
      return again(WAITING_MS);
    }
    default:
      return assertNever(drift);
  }
}

/** Waits for the end of the deletion: an apply to an object that is being deleted succeeds, and is lost with the object. */
function reportTerminating(
  { report }: HealContext,
  { component }: ObservedComponent,
  drift: Extract<Damage, { kind: "terminating" }>,
): Outcome {
  // A foreground deletion of the worker's own Deployment also deletes the worker's pods, so that no worker is left to undo it.
  if (isOwnDeployment(component)) report.damaged(component, "ComponentDamaged", `${describeDamage(drift)}; apply the manifests again`);
  return again(MOVING_MS);
}

async function judgeDeletion(
  context: HealContext,
  { component, memory }: ObservedComponent,
  signal: AbortSignal,
): Promise<DeletionVerdict> {
  const now = context.clock.now();
  memory.absentSince ??= now;
  const { isNamespaceAlive, ownDeployment, isPrepared } = await readInstall(context, signal);
  const isOwn = isOwnDeployment(component);
  return deletionVerdict({
    isOwnDeployment: isOwn,
    absentFor: now - memory.absentSince,
    isNamespaceAlive,
    isOwnDeploymentAlive: ownDeployment !== undefined && isAlive(ownDeployment),
    isPrepared,
    areRightsWhole: !isOwn || (await areRightsWhole(context, signal)),
  });
}
