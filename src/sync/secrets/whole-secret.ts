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

/** One that the worker holds in part is read for its write. Undefined: it is gone, or does not carry the label any more. */
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
