import type { Denial } from "../admission/reasons.ts";
import type { ClassMount } from "./class-mounts.ts";
import type { ContainerSelection } from "./container-selection.ts";
import type { EnvFrom } from "./env-from.ts";
import { denial } from "./messages.ts";
import type { PodContainer } from "./pod.ts";

export interface Addition {
  readonly selection: ContainerSelection;
  readonly mounts: readonly ClassMount[];
  readonly envFrom: EnvFrom | undefined;
}

/** Mounts and sources of variables: forty containers with the most classes and Secrets that a pod may name. */
export const MOST_ENTRIES = 2_000;

/** Characters of paths and names: more than this is no pod that etcd would store. */
export const MOST_CHARACTERS = 1024 * 1024;

/**
 * Refuses a pod whose patch would be the product of two long lists: half a mebibyte of short containers and sixteen classes made a patch
 * that ended the webhook. Found by multiplication, before anything of the patch or of the comparisons for it is made. A container's own
 * sources of variables count as well where there are Secrets to compare them with: each may bring hundreds of keys.
 */
export function additionProblem({ selection: { containers }, mounts, envFrom }: Addition): Denial | undefined {
  const secrets = envFrom?.secrets ?? [];
  const compared = secrets.length === 0 ? 0 : containers.reduce((sum, container) => sum + foreignSources(container, secrets), 0);
  const entries = containers.length * (mounts.length + secrets.length) + compared;
  const characters = containers.length * charactersOf(mounts, secrets);
  if (entries <= MOST_ENTRIES && characters <= MOST_CHARACTERS) return undefined;
  return denial("podTooLarge", {
    containers: String(containers.length),
    classes: String(mounts.length),
    secrets: String(secrets.length),
    entries: String(MOST_ENTRIES),
    size: String(MOST_CHARACTERS / 1024 / 1024),
  });
}

/** What it has of us already is not compared with anything, and is there when another webhook has the pod reviewed again. */
function foreignSources({ envFrom }: PodContainer, secrets: readonly string[]): number {
  return envFrom.filter(({ secret, prefix }) => prefix !== "" || secret === undefined || !secrets.includes(secret)).length;
}

function charactersOf(mounts: readonly ClassMount[], secrets: readonly string[]): number {
  const ofMounts = mounts.reduce((sum, { mountPath, volumeName }) => sum + mountPath.length + volumeName.length, 0);
  return secrets.reduce((sum, secret) => sum + secret.length, ofMounts);
}
