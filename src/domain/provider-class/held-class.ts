import { cutText } from "../cut-text.ts";
import { BYTES_OF_A_PART, bytesOfText, countParts } from "../json-size.ts";
import type { KubeObject, ManagedFieldsEntry, SecretProviderClass } from "../kubernetes.ts";
import { LONGEST_SUBDOMAIN } from "../kubernetes-names.ts";
import { MAX_SECRET_OBJECTS } from "./class-limits.ts";
import { SECRET_DATA } from "./parameters.ts";

/**
 * Characters of a class as JSON, its metadata included. `objects` may have 262,144, and what `kubectl apply` notes on a class as many again:
 * a class that is larger has what nobody reads. The worker holds every class, and its snapshot as well.
 */
export const MAX_CLASS_CHARACTERS = 655_360;

/**
 * Values, lists and mappings of a class, all levels together, `managedFields` left out. The largest class that can be mirrored has about
 * 7,000. A key with an empty value takes five characters of JSON, and dozens of bytes of memory.
 */
export const MAX_CLASS_PARTS = 10_000;

/** What is kept of `secretData` once it is read, as a multiple of its text. */
const READ_TIMES = 8;

/** Of what a class has too much: for itself, or together with the other classes of its namespace. */
export type Excess = "characters" | "parts" | "namespace";

/** A class as the worker holds it. */
export interface HeldClass extends SecretProviderClass {
  /** Where it is set, what is held are the class's identity and the names of its Secrets. */
  readonly excess?: Excess;
  /** Its `managedFields` as JSON, which takes a fraction of what the objects do: only snapshots need them. */
  readonly owners?: string;
}

/** `hasRoom`: whether a class that takes so many bytes can be held. */
export function heldClass(object: KubeObject, hasRoom: (bytes: number) => boolean): HeldClass {
  const text = JSON.stringify(object);
  if (text.length > MAX_CLASS_CHARACTERS) return remainderOf(object, "characters");
  const held = withoutOwners(object);
  const parts = countParts(held, MAX_CLASS_PARTS);
  if (parts > MAX_CLASS_PARTS) return remainderOf(object, "parts");
  const read = READ_TIMES * (held.spec?.parameters?.[SECRET_DATA] ?? "").length;
  return hasRoom(bytesOfText(text) + parts * BYTES_OF_A_PART + read) ? held : remainderOf(object, "namespace");
}

/** As the API server has it. */
export function wholeClass({ owners, ...provider }: HeldClass): SecretProviderClass {
  if (owners === undefined) return provider;
  const managedFields = JSON.parse(owners) as readonly ManagedFieldsEntry[]; // Made from such.
  return { ...provider, metadata: { ...provider.metadata, managedFields } };
}

function withoutOwners(object: KubeObject): HeldClass {
  const { managedFields, ...metadata } = object.metadata;
  return managedFields === undefined ? object : { ...object, metadata, owners: JSON.stringify(managedFields) };
}

/** The names of its Secrets are kept, so that they are neither somebody else's nor superfluous. */
function remainderOf(provider: SecretProviderClass, excess: Excess): HeldClass {
  const { apiVersion, kind, metadata, spec } = provider;
  const { name, namespace = "", uid = "", resourceVersion = "", generation = 0, creationTimestamp = "" } = metadata;
  const secretObjects = (spec?.secretObjects ?? []).slice(0, MAX_SECRET_OBJECTS);
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, generation, creationTimestamp },
    spec: {
      provider: cutText(spec?.provider ?? "", LONGEST_SUBDOMAIN),
      secretObjects: secretObjects.map(({ secretName = "" }) => ({ secretName: cutText(secretName, LONGEST_SUBDOMAIN) })),
    },
    excess,
  };
}
