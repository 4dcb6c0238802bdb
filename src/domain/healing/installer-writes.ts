import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { intersection, isEmptySet } from "./field-sets.ts";
import { installerEntries } from "./installers.ts";
import { comparedFields, differences, hasFields, ownedPart } from "./owned-fields.ts";

/** State of an object that an earlier writer left. */
export interface Left {
  readonly object: KubeObject;
  /** Installers' entries, with the fields whose values `object` has. */
  readonly owners: readonly ManagedFieldsEntry[];
  /** Entries with further fields that installers had then. */
  readonly known?: readonly ManagedFieldsEntry[];
}

/**
 * Whether the fields that installers own now show that they have written since. Does not compare times, which have whole seconds. Only an
 * installer can gain a field, or change a field and still own it. A write by an installer that only removed fields looks like a write by
 * someone else.
 */
export function showsWrite(live: KubeObject, { object, owners, known = [] }: Left): boolean {
  const own = comparedFields(installerEntries(live));
  if (!hasFields(comparedFields([...owners, ...known]), own)) return true;
  const same = intersection(own, comparedFields(owners));
  if (isEmptySet(same)) return false;
  return differences(ownedPart(object, same, "comparable"), ownedPart(live, same, "comparable")).length > 0;
}
