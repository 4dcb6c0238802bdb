import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { intersection, isEmptySet } from "./field-sets.ts";
import { installerEntries } from "./installers.ts";
import { comparedFields, differences, hasFields, ownedPart } from "./owned-fields.ts";

/** What somebody left of an object. */
export interface Left {
  readonly object: KubeObject;
  /** Installers' entries with the fields whose values it says. */
  readonly owners: readonly ManagedFieldsEntry[];
  /** Entries with further fields that installers had then. */
  readonly known?: readonly ManagedFieldsEntry[];
}

/**
 * Whether what installers own now tells of a write of theirs since, whatever its time, which has whole seconds: nobody else gives an installer a
 * field, or changes one and leaves it to the installer. A write that only took fields out looks like somebody else's.
 */
export function showsWrite(live: KubeObject, { object, owners, known = [] }: Left): boolean {
  const own = comparedFields(installerEntries(live));
  if (!hasFields(comparedFields([...owners, ...known]), own)) return true;
  const same = intersection(own, comparedFields(owners));
  if (isEmptySet(same)) return false;
  return differences(ownedPart(object, same, "comparable"), ownedPart(live, same, "comparable")).length > 0;
}
