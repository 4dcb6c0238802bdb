import { CRD_ANNOTATIONS } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { copyOf } from "../../domain/healing/component-copy.ts";
import { componentDrift } from "../../domain/healing/component-drift.ts";
import { crdComponent } from "../../domain/healing/components.ts";
import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { crdDrift, lacksFieldsOf } from "../../domain/healing/crd-drift.ts";
import { repairedCrd } from "../../domain/healing/crd-repair.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { applyCopy } from "./apply-copy.ts";
import type { ComponentCopies } from "./component-copies.ts";

/** Time in milliseconds until the next reconcile of a CRD that is being deleted or not served yet. */
const SETTLING_MS = 200;
/**
 * Time in milliseconds between two attempts to complete a deletion. The API server tries to delete the instances of the CRD within a
 * fraction of this time.
 */
const RETRIED_MS = 1_000;

export type HealOutcome =
  | { readonly kind: "whole" }
  /** The CRD is damaged, but the worker does not heal it now. */
  | { readonly kind: "held" }
  | { readonly kind: "again"; readonly milliseconds: number }
  | { readonly kind: "healed" };

export interface HealOptions {
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ours: CustomResourceDefinition;
  /** Copies of the CRDs as their installers applied them. */
  readonly copies: ComponentCopies;
  /** Whether the install is being removed, so that the worker restores nothing. */
  readonly isHeld: (signal: AbortSignal) => Promise<boolean>;
}

/** Reconciles one CRD, with at most one write to it. Call this again until it returns `whole`. */
export async function healCrd(options: HealOptions, signal: AbortSignal): Promise<HealOutcome> {
  const { kube, logger, ours } = options;
  const { name } = ours.metadata;
  const found = await kube.read<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name }, signal);
  const live = found.kind === "found" ? found.object : undefined;
  const drift = crdDrift(ours, live);
  switch (drift.kind) {
    case "whole":
      if (live !== undefined) await keepCopy(options, live, signal);
      return { kind: "whole" };
    case "terminating":
      if (!drift.hasFailed || live === undefined) return { kind: "again", milliseconds: SETTLING_MS };
      return (await options.isHeld(signal)) ? { kind: "held" } : retryDeletion(options, live, signal);
    case "settling":
      return { kind: "again", milliseconds: SETTLING_MS };
    case "absent":
    case "damaged":
      if (await options.isHeld(signal)) return { kind: "held" };
      logger.warn(drift.kind === "absent" ? "a CRD is missing; applying it again" : "a CRD is damaged; repairing it", {
        crd: name,
        ...(drift.kind === "damaged" ? { problem: drift.problem } : {}),
      });
      return applyRepaired(options, live, signal);
    default:
      return assertNever(drift);
  }
}

/**
 * Changes the CRD, which makes the API server try the deletion once more. The API server's own writes to the CRD cause no earlier attempt.
 */
async function retryDeletion(
  { kube, clock, logger }: HealOptions,
  { metadata }: CustomResourceDefinition,
  signal: AbortSignal,
): Promise<HealOutcome> {
  const { name, resourceVersion, annotations = {} } = metadata;
  const sinceLast = clock.now() - Date.parse(annotations[CRD_ANNOTATIONS.deletionRetried] ?? "");
  if (sinceLast >= 0 && sinceLast < RETRIED_MS) return { kind: "again", milliseconds: RETRIED_MS - sinceLast };
  logger.warn("the API server has not finished deleting a CRD; triggering another attempt", { crd: name });
  const retried = { [CRD_ANNOTATIONS.deletionRetried]: new Date(clock.now()).toISOString() };
  const patch = { metadata: { resourceVersion, annotations: retried } };
  try {
    await kube.mergePatch(RESOURCES.customResourceDefinitions, { name }, patch, { fieldManager: FIELD_MANAGER }, signal);
  } catch (error) {
    if (!isOvertaken(error)) throw error;
  }
  return { kind: "again", milliseconds: RETRIED_MS };
}

/** Whether someone else changed or recreated the CRD between the read and the write, so that the worker must reconcile it again. */
function isOvertaken(error: unknown): boolean {
  return error instanceof KubeError && (error.code === "Conflict" || error.code === "NotFound");
}

/**
 * Saves a copy of a whole CRD, because that is the form that its installer wants. The installer may be the chart of the driver, for
 * example: the worker then heals the CRD under that installer's name.
 */
async function keepCopy({ copies, ours }: HealOptions, live: CustomResourceDefinition, signal: AbortSignal): Promise<void> {
  const component = crdComponent(ours.metadata.name);
  const known = copies.get(component.id);
  const isNew = known === undefined || componentDrift(known, live).kind === "installed";
  const copy = isNew ? copyOf(component, live) : undefined;
  if (copy !== undefined) await copies.save(copy, signal);
}

async function applyRepaired(options: HealOptions, live: CustomResourceDefinition | undefined, signal: AbortSignal): Promise<HealOutcome> {
  const { logger, ours } = options;
  try {
    const applied = await applyAsInstalled(options, live, signal);
    // An apply to a CRD that is being deleted succeeds, and is lost with the CRD.
    if (!applied) return { kind: "again", milliseconds: SETTLING_MS };
    logger.info("a CRD was healed", { crd: ours.metadata.name });
    return { kind: "healed" };
  } catch (error) {
    if (isOvertaken(error)) return { kind: "again", milliseconds: SETTLING_MS };
    throw error;
  }
}

/**
 * Applies what the installer applied, under the installer's name, so that the installer's next apply meets no conflict and changes nothing.
 * Applies the shipped CRD under the worker's own name if no installer is recorded, or if the recorded CRD lacks fields that the worker
 * needs.
 */
async function applyAsInstalled(
  { kube, ours, copies }: HealOptions,
  live: CustomResourceDefinition | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const component = crdComponent(ours.metadata.name);
  const copy = copies.get(component.id);
  const installed = copy?.object as CustomResourceDefinition | undefined; // The id shows that this is the copy of a CRD.
  if (copy !== undefined && installed !== undefined && !lacksFieldsOf(ours, installed))
    return applyCopy(kube, { component, copy, live, body: repairedCrd(installed, live) }, signal);
  const options = { fieldManager: FIELD_MANAGER, force: true };
  const applied = await kube.apply(RESOURCES.customResourceDefinitions, repairedCrd(ours, live), options, signal);
  return applied.metadata.deletionTimestamp === undefined;
}
