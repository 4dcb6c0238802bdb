import { assertNever } from "../domain/assert-never.ts";
import type { CustomResourceDefinition } from "../domain/healing/crd.ts";
import { crdDrift } from "../domain/healing/crd-drift.ts";
import { repairedCrd } from "../domain/healing/crd-repair.ts";
import { RESOURCES } from "../domain/kubernetes.ts";
import { type KubeClient, KubeError, type Logger } from "../domain/ports.ts";
import { FIELD_MANAGER } from "./field-manager.ts";

/** A CRD that is going away, or not served yet, is looked at again this often (milliseconds). */
const SETTLING_MS = 200;

export type HealOutcome =
  | { readonly kind: "whole" }
  | { readonly kind: "again"; readonly milliseconds: number }
  | { readonly kind: "healed" };

export interface HealOptions {
  readonly kube: KubeClient;
  readonly logger: Logger;
  readonly ours: CustomResourceDefinition;
}

/** One look at one CRD and at most one write. Called again until it says `whole`. */
export async function healCrd({ kube, logger, ours }: HealOptions, signal: AbortSignal): Promise<HealOutcome> {
  const { name } = ours.metadata;
  const found = await kube.read<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name }, signal);
  const live = found.kind === "found" ? found.object : undefined;
  const drift = crdDrift(ours, live);
  switch (drift.kind) {
    case "whole":
      return { kind: "whole" };
    case "terminating":
    case "settling":
      return { kind: "again", milliseconds: SETTLING_MS };
    case "absent":
    case "damaged":
      logger.warn(drift.kind === "absent" ? "a CRD is gone and is applied again" : "a CRD is damaged and is repaired", {
        crd: name,
        ...(drift.kind === "damaged" ? { problem: drift.problem } : {}),
      });
      return applyRepaired({ kube, logger, ours }, live, signal);
    default:
      return assertNever(drift);
  }
}

async function applyRepaired(
  { kube, logger, ours }: HealOptions,
  live: CustomResourceDefinition | undefined,
  signal: AbortSignal,
): Promise<HealOutcome> {
  const { name } = ours.metadata;
  try {
    const applied = await kube.apply<CustomResourceDefinition>(
      RESOURCES.customResourceDefinitions,
      repairedCrd(ours, live),
      { fieldManager: FIELD_MANAGER, force: true },
      signal,
    );
    // An apply onto a CRD that is going away succeeds and is lost with it.
    if (applied.metadata.deletionTimestamp !== undefined) return { kind: "again", milliseconds: SETTLING_MS };
    logger.info("a CRD was healed", { crd: name, uid: applied.metadata.uid });
    return { kind: "healed" };
  } catch (error) {
    // Somebody else changed or re-created it between the read and the write: look again.
    if (error instanceof KubeError && (error.code === "Conflict" || error.code === "NotFound"))
      return { kind: "again", milliseconds: SETTLING_MS };
    throw error;
  }
}
