import { RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import { metadataFor, type Onto, type WantedSecret } from "../../domain/sync/secret-plan.ts";
import type { Fingerprints } from "../fingerprints.ts";

/** The Secret as data for the plan: its fingerprint stands for its values. */
export function wantedFrom(secret: DesiredSecret, fingerprints: Fingerprints): WantedSecret {
  return {
    name: secret.name,
    type: secret.type,
    labels: secret.labels,
    annotations: secret.annotations,
    keys: [...secret.data.keys()],
    objects: secret.objects,
    fingerprint: fingerprints.ofData(secret.data),
  };
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
