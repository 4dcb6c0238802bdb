import { assertNever } from "../../domain/assert-never.ts";
import { type ComponentCopy, copyOf, isHalfHandedBack, isHandingBackDue, tolerating } from "../../domain/healing/component-copy.ts";
import { componentDrift } from "../../domain/healing/component-drift.ts";
import { installerEntries } from "../../domain/healing/installers.ts";
import { comparedFields, hasFields } from "../../domain/healing/owned-fields.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { applyCopy, type CopyToApply, handBack } from "./apply-copy.ts";
import type { Damage } from "./component-memory.ts";
import { again, DONE, type HealContext, MAX_SHOWN, MOVING_MS, type ObservedComponent } from "./heal-context.ts";

/**
 * Time in milliseconds until the next attempt if the API server rejects a repair, for example because of an immutable field or a policy. The
 * worker gets no event when the cause is removed.
 */
const REFUSED_MS = 60_000;

/** Repairs the component once. If someone undoes each repair, first waits. */
export async function repair(
  context: HealContext,
  { component, memory, live }: ObservedComponent,
  drift: Damage,
  signal: AbortSignal,
): Promise<Outcome> {
  const { kube, clock, copies, report } = context;
  const copy = copies.get(component.id);
  if (copy === undefined) return DONE;
  const pauseMs = memory.pauseBefore(drift, clock.now());
  if (pauseMs > 0) {
    report.damaged(component, "Contested", contested(drift));
    return again(pauseMs);
  }
  try {
    memory.mayBeHalfRepaired = true;
    const wanted = { ...wantedOf(copy, { component, live }, drift), onWritten: memory.noteWritten };
    if (!(await applyCopy(kube, wanted, signal))) return again(MOVING_MS);
    memory.mayBeHalfRepaired = false;
  } catch (error) {
    if (!(error instanceof KubeError && isRejected(error))) throw error;
    report.damaged(component, "ComponentDamaged", `${describeDamage(drift)}, and the API server rejects the repair: ${error.message}`);
    return again(REFUSED_MS);
  }
  memory.noteRepair(drift, clock.now());
  report.healed(component, drift.kind === "edited" ? "edited" : "deleted", detailOf(drift));
  return again(MOVING_MS);
}

/** Whether the content of the repair was rejected. An authorizer, which rejects a worker without the permission, does not see the content. */
function isRejected({ code, refuser }: KubeError): boolean {
  return code === "Invalid" || (code === "Forbidden" && refuser?.kind !== "rights");
}

/**
 * Returns the whole copy except for the fields that the platform can change, and the fields that others added and that the repair removes.
 */
function wantedOf(copy: ComponentCopy, { component, live }: Pick<ObservedComponent, "component" | "live">, drift: Damage): CopyToApply {
  const added = drift.kind === "edited" ? drift.added : undefined;
  const wanted = live === undefined ? copy : tolerating(copy, live).copy;
  return { component, copy: wanted, live, ...(added === undefined ? {} : { added }) };
}

/** Describes the damage for people, without values. */
export function describeDamage(drift: Damage): string {
  switch (drift.kind) {
    case "edited":
      return `edited: ${detailOf(drift)}`;
    case "deleted":
      return "deleted";
    case "terminating":
      return `being deleted${drift.finalizers.length === 0 ? "" : `, held by ${drift.finalizers.join(", ")}`}`;
    default:
      return assertNever(drift);
  }
}

function detailOf(drift: Damage): string {
  if (drift.kind !== "edited") return "the API server's audit log shows by whom";
  return `${shownNames(drift.fields, MAX_SHOWN)}, last by ${drift.by}`;
}

function contested(drift: Damage): string {
  if (drift.kind !== "edited") return "deleted after each repair; repairs pause for up to a minute. Stop the other writer";
  const fields = shownNames(drift.fields, MAX_SHOWN);
  return `${fields}: changed by ${drift.by} after each repair; repairs pause for up to an hour. Stop that writer, or set the same values in your installation's values or manifests`;
}

/**
 * Completes a repair of a component whose content is as the installer left it. Hands `managedFields` back if a repair could not do so, or
 * did so only in part. If `managedFields` has the time of the repair, saves a new copy, because the next leader would take that time for
 * the installer's. Returns false if there is more to do.
 */
export async function finishRepair(context: HealContext, observed: ObservedComponent, signal: AbortSignal): Promise<boolean> {
  const { component, live, memory } = observed;
  const known = context.copies.get(component.id);
  if (live === undefined || known === undefined || component.treatment === "crd") return true;
  const { copy } = tolerating(known, live);
  const hasMore = !hasFields(comparedFields(copy.owners), comparedFields(installerEntries(live)));
  const isInstalled = componentDrift(known, live).kind === "installed";
  if (isHalfHandedBack(copy, live, FIELD_MANAGER) || (hasMore && (isInstalled || memory.mayBeHalfRepaired))) {
    memory.mayBeHalfRepaired = !(await handBack(context.kube, { component, copy, applied: live, onWritten: memory.noteWritten }, signal));
    return false;
  }
  memory.mayBeHalfRepaired = false;
  if (isInstalled) await saveCopy(context, observed, signal);
  return true;
}

/**
 * Returns whether the repair of a CRD, which other code makes, has handed `managedFields` back. If not, hands it back now: the process that
 * made the repair may have ended.
 */
export async function finishDefinition(
  { kube, copies }: HealContext,
  { component, live }: ObservedComponent,
  signal: AbortSignal,
): Promise<boolean> {
  const copy = copies.get(component.id);
  if (live === undefined || copy === undefined || !isHandingBackDue(copy, live, FIELD_MANAGER)) return true;
  await handBack(kube, { component, copy, applied: live }, signal);
  return false;
}

/** Saves a copy of the component as the installer wants it. */
export async function saveCopy({ copies }: HealContext, { component, live }: ObservedComponent, signal: AbortSignal): Promise<void> {
  const copy = live === undefined ? undefined : copyOf(component, live, copies.get(component.id));
  if (copy !== undefined) await copies.save(copy, signal);
}
