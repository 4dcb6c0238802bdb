import type { KubeObject, SecretProviderClass } from "../kubernetes.ts";
import { MAX_SECRET_OBJECTS } from "./class-limits.ts";

/**
 * Characters of a class as JSON, its metadata included. `objects` may have 262,144, and what `kubectl apply` notes on a class as many again:
 * a class that is larger has what nobody reads. The worker holds every class, and its snapshot as well.
 */
export const MAX_CLASS_CHARACTERS = 655_360;

/** No name is longer. */
const LONGEST_NAME = 253;

/** A class as the worker holds it. */
export interface HeldClass extends SecretProviderClass {
  /** It is larger than a class may be: what is held are its identity and the names of its Secrets. */
  readonly isTooLarge?: true;
}

export function heldClass(object: KubeObject): HeldClass {
  return JSON.stringify(object).length > MAX_CLASS_CHARACTERS ? remainderOf(object) : object;
}

/** The names of its Secrets are kept, so that they are neither somebody else's nor superfluous. */
function remainderOf(provider: SecretProviderClass): HeldClass {
  const { apiVersion, kind, metadata, spec } = provider;
  const { name, namespace = "", uid = "", resourceVersion = "", generation = 0, creationTimestamp = "" } = metadata;
  const secretObjects = (spec?.secretObjects ?? []).slice(0, MAX_SECRET_OBJECTS);
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, generation, creationTimestamp },
    spec: {
      provider: (spec?.provider ?? "").slice(0, LONGEST_NAME),
      secretObjects: secretObjects.map(({ secretName = "" }) => ({ secretName: secretName.slice(0, LONGEST_NAME) })),
    },
    isTooLarge: true,
  };
}
