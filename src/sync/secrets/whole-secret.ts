import { RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { findByName } from "../find-by-name.ts";
import type { Fingerprints } from "../fingerprints.ts";
import { observeStoredSecret, type SecretMarks } from "./secret-store.ts";

export interface WholeSecretReading {
  readonly kube: KubeClient;
  readonly fingerprints: Fingerprints;
}

/**
 * Returns the held Secret. Reads the Secret from the API server if the worker holds only a part of it. Returns undefined if the Secret is
 * gone or no longer has the label.
 */
export async function wholeSecret(
  { kube, fingerprints }: WholeSecretReading,
  held: ObservedSecret | undefined,
  label: SecretMarks["label"],
  signal: AbortSignal,
): Promise<ObservedSecret | undefined> {
  if (held?.isPartial !== true) return held;
  const live = await findByName<Secret>(kube, { resource: RESOURCES.secrets, ref: held.ref }, signal);
  const whole = live && observeStoredSecret(live, fingerprints);
  if (whole?.labels[label] !== "true") return undefined;
  return whole.uid === held.uid ? { ...whole, lacksProof: held.lacksProof === true } : whole;
}
