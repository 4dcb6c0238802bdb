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

/** Mounts and sources of variables: enough for forty containers with the most classes and Secrets that a pod can name. */
export const MOST_ENTRIES = 2_000;

/** Characters of paths and names. etcd would not store a larger pod. */
export const MOST_CHARACTERS = 1024 * 1024;

/**
 * Denies a pod whose patch would be the product of two long lists. Half a mebibyte of short containers and sixteen classes produced a patch
 * that crashed the webhook. This check multiplies the lengths before the webhook computes the patch or its comparisons. If there are
 * Secrets to compare, a container's own sources of variables count as well, because each can contain hundreds of keys.
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

/**
 * Does not count entries that the webhook has already added: they are not compared, and they exist when another webhook triggers a second
 * review of the pod.
 */
function foreignSources({ envFrom }: PodContainer, secrets: readonly string[]): number {
  return envFrom.filter(({ secret, prefix }) => prefix !== "" || secret === undefined || !secrets.includes(secret)).length;
}

function charactersOf(mounts: readonly ClassMount[], secrets: readonly string[]): number {
  const ofMounts = mounts.reduce((sum, { mountPath, volumeName }) => sum + mountPath.length + volumeName.length, 0);
  return secrets.reduce((sum, secret) => sum + secret.length, ofMounts);
}
