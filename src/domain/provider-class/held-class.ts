import { cutText } from "../cut-text.ts";
import { BYTES_OF_A_PART, bytesOfText, countParts } from "../json-size.ts";
import type { KubeObject, ManagedFieldsEntry, SecretProviderClass } from "../kubernetes.ts";
import { LONGEST_SUBDOMAIN } from "../kubernetes-names.ts";
import { MAX_SECRET_OBJECTS } from "./class-limits.ts";
import { SECRET_DATA } from "./parameters.ts";

/**
 * Maximum length of a class as JSON in characters, with its metadata. `objects` may have 262,144 characters, and the annotation of
 * `kubectl apply` as many again. A larger class contains data that nothing reads. The worker keeps every class in memory, and its snapshot
 * as well.
 */
export const MAX_CLASS_CHARACTERS = 655_360;

/**
 * Maximum number of values, lists, and mappings of a class on all levels, without `managedFields`. The largest class that the worker can
 * sync has about 7,000. A key with an empty value takes five characters of JSON, but dozens of bytes of memory.
 */
export const MAX_CLASS_PARTS = 10_000;

/** Memory size of a parsed `secretData`, as a multiple of its text. */
const READ_TIMES = 8;

/** The exceeded limit: characters or parts of the class itself, or the limit of all classes of its namespace together. */
export type Excess = "characters" | "parts" | "namespace";

/** A class as the worker keeps it in memory. */
export interface HeldClass extends SecretProviderClass {
  /** If set, the worker keeps only the identity of the class and the names of its Secrets. */
  readonly excess?: Excess;
  /** `managedFields` as JSON, which takes a fraction of the memory of the objects. Only snapshots need them. */
  readonly owners?: string;
}

/** Reduces a class to its form in memory. `hasRoom` reports whether there is memory for a class of this number of bytes. */
export function heldClass(object: KubeObject, hasRoom: (bytes: number) => boolean): HeldClass {
  const text = JSON.stringify(object);
  if (text.length > MAX_CLASS_CHARACTERS) return remainderOf(object, "characters");
  const held = withoutOwners(object);
  const parts = countParts(held, MAX_CLASS_PARTS);
  if (parts > MAX_CLASS_PARTS) return remainderOf(object, "parts");
  const read = READ_TIMES * (held.spec?.parameters?.[SECRET_DATA] ?? "").length;
  return hasRoom(bytesOfText(text) + parts * BYTES_OF_A_PART + read) ? held : remainderOf(object, "namespace");
}

/** Returns the class in the form of the API server. */
export function wholeClass({ owners, ...provider }: HeldClass): SecretProviderClass {
  if (owners === undefined) return provider;
  const managedFields = JSON.parse(owners) as readonly ManagedFieldsEntry[]; // The JSON was made from such entries.
  return { ...provider, metadata: { ...provider.metadata, managedFields } };
}

function withoutOwners(object: KubeObject): HeldClass {
  const { managedFields, ...metadata } = object.metadata;
  return managedFields === undefined ? object : { ...object, metadata, owners: JSON.stringify(managedFields) };
}

/** Keeps the names of the Secrets, so that the worker treats them neither as Secrets of others nor as superfluous. */
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
