import { assertNever } from "../../domain/assert-never.ts";
import { copyOf } from "../../domain/healing/component-copy.ts";
import { type ComponentDrift, componentDrift } from "../../domain/healing/component-drift.ts";
import { type Component, isOwnDeployment } from "../../domain/healing/components.ts";
import { type DeletionVerdict, deletionVerdict } from "../../domain/healing/deletion.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { afterRepair, contestedUntil, NO_REPAIRS, paceRepair, type Repairs } from "../../domain/schedule/repair-pace.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import { findByName } from "../find-by-name.ts";
import { applyCopy } from "./apply-copy.ts";
import type { ComponentCopies } from "./component-copies.ts";
import type { ComponentReport } from "./component-report.ts";
import { areRightsWhole, isAlive, isGoing, readInstall } from "./install-state.ts";

/** What this process remembers of a component. Losing it costs nothing but an early repair. */
export interface ComponentMemory {
  repairs: Repairs;
  /** Unix milliseconds since when it has been absent. */
  absentSince: number | undefined;
}

export function newComponentMemory(): ComponentMemory {
  return { repairs: NO_REPAIRS, absentSince: undefined };
}

export interface HealContext {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  readonly copies: ComponentCopies;
  readonly report: ComponentReport;
}

/** What is on its way somewhere is looked at again this often (milliseconds). */
const MOVING_MS = 1_000;
/** While the worker's own Deployment is away, others wait for it (milliseconds). */
const WAITING_MS = 5_000;
/** What the API server refuses for good, an immutable field for one, is tried again this often (milliseconds). */
const REFUSED_MS = 60_000;
/** Fields that are named. */
const MAX_SHOWN = 3;

const DONE: Outcome = { kind: "done" };
const again = (milliseconds: number): Outcome => ({ kind: "requeueAfter", milliseconds });

interface Look {
  readonly component: Component;
  readonly memory: ComponentMemory;
  readonly live: KubeObject | undefined;
}

/** One look at one component, and at most one repair. */
export async function healComponent(
  context: HealContext,
  { component, memory }: Omit<Look, "live">,
  signal: AbortSignal,
): Promise<Outcome> {
  const live = await findByName(context.kube, component, signal);
  const drift = componentDrift(context.copies.get(component.id), live);
  const look: Look = { component, memory, live };
  if (drift.kind !== "deleted") memory.absentSince = undefined;
  switch (drift.kind) {
    case "unknown":
      return DONE;
    case "untouched":
      return settled(context, look);
    case "installed": {
      const copy = live === undefined ? undefined : copyOf(component, live);
      if (copy !== undefined) await context.copies.save(copy, signal);
      return settled(context, look);
    }
    case "terminating":
    case "edited":
    case "deleted":
      return component.treatment === "healed" ? heal(context, look, drift, signal) : tellOnly(context, look, drift, signal);
    default:
      return assertNever(drift);
  }
}

type Damage = Extract<ComponentDrift, { readonly kind: "terminating" | "edited" | "deleted" }>;

/** Nothing is wrong; a fight counts as over when nobody has taken part for a while. */
function settled({ clock, report }: HealContext, { component, memory }: Look): Outcome {
  memory.repairs = { ...memory.repairs, seen: undefined };
  const contested = contestedUntil(memory.repairs, clock.now());
  if (contested !== undefined) return again(Math.max(MOVING_MS, contested - clock.now()));
  report.whole(component);
  return DONE;
}

/** Rights, policies and the Namespace are what limits the worker: it says what is wrong and leaves them to people. */
async function tellOnly(context: HealContext, look: Look, drift: Damage, signal: AbortSignal): Promise<Outcome> {
  if (isGoing(await readInstallOrNothing(context, signal))) return DONE;
  context.report.damaged(look.component, "ComponentDamaged", `${describe(drift)}; apply the manifests again`);
  return DONE;
}

/** Without rights nothing is known of an uninstall, which is then damage to the rights. */
async function readInstallOrNothing(context: HealContext, signal: AbortSignal): ReturnType<typeof readInstall> {
  try {
    return await readInstall(context, signal);
  } catch (error) {
    if (error instanceof KubeError && error.code === "Forbidden")
      return { isNamespaceAlive: true, ownDeployment: undefined, isPrepared: false };
    throw error;
  }
}

async function heal(context: HealContext, look: Look, drift: Damage, signal: AbortSignal): Promise<Outcome> {
  switch (drift.kind) {
    case "terminating":
      return tellTerminating(context, look, drift);
    case "edited": {
      return isGoing(await readInstall(context, signal)) ? DONE : repair(context, look, drift, signal);
    }
    case "deleted": {
      const verdict = await judgeDeletion(context, look, signal);
      if (verdict.kind === "wait") return again(verdict.milliseconds);
      if (verdict.kind === "restore") return repair(context, look, drift, signal);
      // Its own Deployment may come back first; a prepared uninstall, or a Namespace that goes, is seen by its watch.
      return again(WAITING_MS);
    }
    default:
      return assertNever(drift);
  }
}

/** An apply onto what is being deleted would succeed and be lost with it. */
function tellTerminating({ report }: HealContext, { component }: Look, drift: Extract<Damage, { kind: "terminating" }>): Outcome {
  // A foreground deletion of the worker's own Deployment ends with the worker's own pods: nobody is left to undo it.
  if (isOwnDeployment(component)) report.damaged(component, "ComponentDamaged", `${describe(drift)}; apply the manifests again`);
  return again(MOVING_MS);
}

async function judgeDeletion(context: HealContext, { component, memory }: Look, signal: AbortSignal): Promise<DeletionVerdict> {
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

async function repair(context: HealContext, { component, memory, live }: Look, drift: Damage, signal: AbortSignal): Promise<Outcome> {
  const { kube, clock, copies, report } = context;
  const copy = copies.get(component.id);
  if (copy === undefined) return DONE;
  const { repairs, pauseMs } = paceRepair(memory.repairs, clock.now());
  memory.repairs = repairs;
  if (pauseMs > 0) {
    report.damaged(
      component,
      "Contested",
      `${contested(drift)} after each repair; repairs pause for up to a minute. Stop the other writer`,
    );
    return again(pauseMs);
  }
  try {
    if (!(await applyCopy(kube, { component, copy, live }, signal))) return again(MOVING_MS);
  } catch (error) {
    if (!(error instanceof KubeError && error.code === "Invalid")) throw error;
    report.damaged(component, "ComponentDamaged", `${describe(drift)}, and the API server refuses to change it back: ${error.message}`);
    return again(REFUSED_MS);
  }
  memory.repairs = afterRepair(memory.repairs, clock.now());
  report.healed(component, drift.kind === "edited" ? "edited" : "deleted", detailOf(drift));
  return again(MOVING_MS);
}

function describe(drift: Damage): string {
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
  if (drift.kind !== "edited") return "by whom stands in the API server's audit log alone";
  return `${shownNames(drift.fields, MAX_SHOWN)}, last by ${drift.by}`;
}

function contested(drift: Damage): string {
  return drift.kind === "edited" ? `changed by ${drift.by}` : "deleted";
}
