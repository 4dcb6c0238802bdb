import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { type Additions, additionsTo, holdersOf } from "./additions.ts";
import { type ComponentCopy, comparablePart, tolerating } from "./component-copy.ts";
import { isPartOfInstall } from "./components.ts";
import { difference, fieldPaths, isEmptySet } from "./field-sets.ts";
import { haveWritten, installerEntries, isSameOwner } from "./installers.ts";
import { comparedFields, differences, type FieldSet, hasFields } from "./owned-fields.ts";
import type { Tolerated } from "./platform-managers.ts";

/**
 * Difference between a live component and the copy of its installer's last apply. `installed`: an installer has written since, so the live
 * state is the desired one. `unknown`: not part of this install, or not installed yet.
 */
export type ComponentDrift =
  | { readonly kind: "untouched"; readonly remarks?: readonly DriftRemark[] }
  | { readonly kind: "installed" }
  | { readonly kind: "unknown" }
  /** Paths without values, and the managers that wrote last, as far as the API server records them. */
  | {
      readonly kind: "edited";
      readonly fields: readonly string[];
      readonly by: string;
      /** Fields added beside the installer's fields, which the repair removes. */
      readonly added?: FieldSet;
    }
  | { readonly kind: "deleted" }
  | { readonly kind: "terminating"; readonly finalizers: readonly string[] };

/** A change by someone else that the worker leaves unchanged. */
export type DriftRemark =
  /** The other writer has a good reason. */
  | { readonly kind: "tolerated"; readonly fields: readonly string[]; readonly by: string }
  /** The fields are older than the worker's first copy. */
  | { readonly kind: "accepted"; readonly fields: readonly string[]; readonly by: string };

/** Path to report if all values are unchanged but the record of their owners is not. */
const OWNERS = "metadata.managedFields";
const UNRECORDED = "an unrecorded writer";

/**
 * Compares the fields that installers own, and fields that others added if these affect how the component works. Defaults, status, the
 * revision that a controller counts, and labels are not drift. A writer that changes an installer's field removes it from the installer's
 * entry, so a field that an installer still owns has the installer's value.
 */
export function componentDrift(copy: ComponentCopy | undefined, live: KubeObject | undefined): ComponentDrift {
  if (live === undefined) return { kind: copy === undefined ? "unknown" : "deleted" };
  const { deletionTimestamp, finalizers = [] } = live.metadata;
  if (copy === undefined) return { kind: isPartOfInstall(live) && installerEntries(live).length > 0 ? "installed" : "unknown" };
  if (deletionTimestamp !== undefined) return { kind: "terminating", finalizers };
  const owners = installerEntries(live);
  if (haveWritten(owners, copy.owners)) return { kind: "installed" };
  return editOf(copy, live, owners);
}

function editOf(whole: ComponentCopy, live: KubeObject, owners: readonly ManagedFieldsEntry[]): ComponentDrift {
  const { copy, tolerated } = tolerating(whole, live);
  const fields = differences(comparablePart(copy.object, copy.owners), comparablePart(live, copy.owners));
  const additions = additionsTo(whole.object, whole, live);
  const added = whole.accepted === undefined ? {} : difference(additions.fields, whole.accepted);
  // Only an installer can change a field, or own one more, without removing one from an entry. Times have whole seconds only.
  const isOwned = copy.owners.every((owner) => ownsAllOf(owners, owner));
  if (isOwned && fields.length > 0) return { kind: "installed" };
  if (isOwned && isEmptySet(added)) return whole.accepted === undefined ? { kind: "installed" } : untouched(tolerated, additions);
  // If the record of owners was wiped, defaults look added, too.
  const paths = owners.length === 0 ? fields : [...fields, ...fieldPaths(added)];
  const by = (isOwned ? undefined : taker(live, copy)) ?? additions.by[0];
  const named = paths.length > 0 ? paths : [OWNERS];
  return { kind: "edited", fields: named, by: by ?? UNRECORDED, ...(isEmptySet(added) ? {} : { added }) };
}

/** Whether only the record of owners differs. */
export function isOfOwnersAlone({ fields: [field, another] }: Extract<ComponentDrift, { kind: "edited" }>): boolean {
  return field === OWNERS && another === undefined;
}

/** Added fields that `editOf` did not report are accepted. */
function untouched(tolerated: readonly Tolerated[], { fields, by }: Additions): ComponentDrift {
  const remarks: DriftRemark[] = tolerated.map((each) => ({ kind: "tolerated", fields: fieldPaths(each.fields), by: each.by }));
  if (!isEmptySet(fields)) remarks.push({ kind: "accepted", fields: fieldPaths(fields), by: by[0] ?? UNRECORDED });
  return { kind: "untouched", ...(remarks.length === 0 ? {} : { remarks }) };
}

/** Whether an installer still owns the fields that it owned before. */
function ownsAllOf(live: readonly ManagedFieldsEntry[], owner: ManagedFieldsEntry): boolean {
  const now = live.find((entry) => isSameOwner(entry, owner));
  return now !== undefined && hasFields(comparedFields([now]), comparedFields([owner]));
}

/**
 * Returns the manager that owns fields that installers lost, otherwise the last writer. Ignores the subresource `status`, but not `scale`,
 * because scaling is an edit.
 */
function taker({ metadata }: KubeObject, { owners }: ComponentCopy): string | undefined {
  const entries = metadata.managedFields ?? [];
  const others = entries.filter((entry) => entry.subresource !== "status" && !owners.some((owner) => isSameOwner(owner, entry)));
  const lost = difference(
    comparedFields(owners),
    comparedFields(entries.filter((entry) => owners.some((owner) => isSameOwner(owner, entry)))),
  );
  const last = others.toSorted((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))[0]?.manager;
  return holdersOf(lost, others)[0] ?? last;
}
