import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { metadataFor, type Onto, type WantedSecret } from "../../domain/sync/secret-plan.ts";
import type { Fingerprints } from "../fingerprints.ts";

/** Where the Secret goes, and what of ours lies there. */
export interface Destination {
  readonly namespace: string;
  /** Undefined also where somebody else's is taken over. */
  readonly observed: ObservedSecret | undefined;
}

/** The Secret as data for the plan: its fingerprint stands for its values. */
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
 * One of an earlier version stays while the data does: an upgrade alone writes nothing. What lay there without a proof gets none by being
 * written over.
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
  /** Preconditions of an apply: the object as the write was decided on. Absent on the first write. */
  readonly onto?: Onto;
}

/** The one place where values are put into an object: what is sent to the API server, and nothing else. */
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
