import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { type Additions, additionsTo, holdersOf } from "./additions.ts";
import { type ComponentCopy, comparablePart, tolerating } from "./component-copy.ts";
import { isPartOfInstall } from "./components.ts";
import { difference, fieldPaths, isEmptySet } from "./field-sets.ts";
import { haveWritten, installerEntries, isSameOwner } from "./installers.ts";
import { comparedFields, differences, type FieldSet, hasFields } from "./owned-fields.ts";
import type { Tolerated } from "./platform-managers.ts";

/**
 * How a live component stands to the copy of what its installer applied. `installed`: an installer has written since, and
 * what it wrote is what is wanted now. `unknown`: not of this install, or nobody has installed it yet.
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
      /** What was added beside the installer's fields, and is to go. */
      readonly added?: FieldSet;
    }
  | { readonly kind: "deleted" }
  | { readonly kind: "terminating"; readonly finalizers: readonly string[] };

/** What others have made of a component, and is left as it is. */
export type DriftRemark =
  /** Theirs for a good reason. */
  | { readonly kind: "tolerated"; readonly fields: readonly string[]; readonly by: string }
  /** There since before the worker knew better. */
  | { readonly kind: "accepted"; readonly fields: readonly string[]; readonly by: string };

/** Named where all values are as they were, and the record of who owns them is not. */
const OWNERS = "metadata.managedFields";
const UNRECORDED = "an unrecorded writer";

/**
 * What installers own is compared, and what others added where it decides something: defaults, status, the revision that a controller counts
 * and everybody's labels are no drift. Whoever changes a field of an installer's takes it away from the installer's entry, so that a field
 * which an installer still owns has the value that the installer gave it.
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
  // Nobody but an installer can change a field, or own one more, without taking one away. Times tell whole seconds only.
  const isOwned = copy.owners.every((owner) => ownsAllOf(owners, owner));
  if (isOwned && fields.length > 0) return { kind: "installed" };
  if (isOwned && isEmptySet(added)) return whole.accepted === undefined ? { kind: "installed" } : untouched(tolerated, additions);
  // With the record of owners wiped, defaults look added too.
  const paths = owners.length === 0 ? fields : [...fields, ...fieldPaths(added)];
  const by = (isOwned ? undefined : taker(live, copy)) ?? additions.by[0];
  const named = paths.length > 0 ? paths : [OWNERS];
  return { kind: "edited", fields: named, by: by ?? UNRECORDED, ...(isEmptySet(added) ? {} : { added }) };
}

/** Nothing differs but the record of who owns what. */
export function isOfOwnersAlone({ fields: [field, another] }: Extract<ComponentDrift, { kind: "edited" }>): boolean {
  return field === OWNERS && another === undefined;
}

/** What is added, and was not found above, is accepted. */
function untouched(tolerated: readonly Tolerated[], { fields, by }: Additions): ComponentDrift {
  const remarks: DriftRemark[] = tolerated.map((each) => ({ kind: "tolerated", fields: fieldPaths(each.fields), by: each.by }));
  if (!isEmptySet(fields)) remarks.push({ kind: "accepted", fields: fieldPaths(fields), by: by[0] ?? UNRECORDED });
  return { kind: "untouched", ...(remarks.length === 0 ? {} : { remarks }) };
}

/** Whether what an installer owned is still its own. */
function ownsAllOf(live: readonly ManagedFieldsEntry[], owner: ManagedFieldsEntry): boolean {
  const now = live.find((entry) => isSameOwner(entry, owner));
  return now !== undefined && hasFields(comparedFields([now]), comparedFields([owner]));
}

/** Who owns what installers have lost, or else the last one that wrote; status and scale are subresources, and scaling is an edit. */
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
