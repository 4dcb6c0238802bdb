import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { metadataFor, type Onto, type WantedSecret } from "../../domain/sync/secret-plan.ts";
import type { Fingerprints } from "../fingerprints.ts";

/** Namespace of the Secret, and the worker's Secret that is already there. */
export interface Destination {
  readonly namespace: string;
  /** Also undefined if the worker takes over a Secret that it did not create. */
  readonly observed: ObservedSecret | undefined;
}

/** Returns the Secret as data for the plan, with a fingerprint in place of its values. */
export function wantedFrom(secret: DesiredSecret, fingerprints: Fingerprints, destination: Destination): WantedSecret {
  return {
    name: secret.name,
    type: secret.type,
    labels: secret.labels,
    annotations: secret.annotations,
    keys: [...secret.data.keys()],
    objects: secret.objects,
    fingerprint: fingerprintFor(secret, fingerprints, destination),
  };
}

/**
 * Returns the fingerprint of the data. Keeps a fingerprint in the format of versions up to 0.3.0 while the data is unchanged, so that an
 * upgrade alone writes nothing. Adds no proof to a Secret that lacked one: a write proves nothing about who created the Secret.
 */
function fingerprintFor({ name, data }: DesiredSecret, fingerprints: Fingerprints, { namespace, observed }: Destination): string {
  const stored = observed?.annotations[SECRET_ANNOTATIONS.content] ?? "";
  if (observed?.isContentIntact === true && stored === fingerprints.formerOfData(data)) return stored;
  const place = { namespace, name };
  const fingerprint = fingerprints.ofData(place, data);
  return observed?.lacksProof === true ? fingerprint : fingerprints.withProof(fingerprint, place);
}

export interface BodyInput {
  readonly secret: DesiredSecret;
  readonly wanted: WantedSecret;
  readonly className: string;
  readonly namespace: string;
  /** Preconditions of an apply: uid and resourceVersion of the Secret for which the worker planned the write. Absent on the first write. */
  readonly onto?: Onto;
}

/** Returns the Secret to send to the API server. Only this function puts values into an object. */
export function secretBody({ secret, wanted, className, namespace, onto }: BodyInput): Secret {
  const data = [...secret.data].map(([key, value]): [string, string] => [key, Buffer.from(value.reveal()).toString("base64")]);
  return {
    apiVersion: RESOURCES.secrets.version,
    kind: RESOURCES.secrets.kind,
    metadata: { name: secret.name, namespace, ...onto, ...metadataFor(wanted, className) },
    type: secret.type,
    data: Object.fromEntries(data),
  };
}
