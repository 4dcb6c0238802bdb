import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { type ComponentCopy, comparablePart } from "./component-copy.ts";
import { isPartOfInstall } from "./components.ts";
import { haveWritten, installerEntries, isSameOwner } from "./installers.ts";
import { comparedFields, differences, hasFields } from "./owned-fields.ts";

/**
 * How a live component stands to the copy of what its installer applied. `installed`: an installer has written since, and
 * what it wrote is what is wanted now. `unknown`: not of this install, or nobody has installed it yet.
 */
export type ComponentDrift =
  | { readonly kind: "untouched" }
  | { readonly kind: "installed" }
  | { readonly kind: "unknown" }
  /** Paths without values, and the managers that wrote last, as far as the API server records them. */
  | { readonly kind: "edited"; readonly fields: readonly string[]; readonly by: string }
  | { readonly kind: "deleted" }
  | { readonly kind: "terminating"; readonly finalizers: readonly string[] };

/**
 * Only what installers own is compared: defaults, status, the revision that a controller counts and what others add are no
 * drift. Whoever changes a field of an installer's takes it away from the installer's entry, so that a field which an installer
 * still owns has the value that the installer gave it.
 */
export function componentDrift(copy: ComponentCopy | undefined, live: KubeObject | undefined): ComponentDrift {
  if (live === undefined) return { kind: copy === undefined ? "unknown" : "deleted" };
  const { deletionTimestamp, finalizers = [], managedFields = [] } = live.metadata;
  if (copy === undefined) return { kind: isPartOfInstall(live) && installerEntries(live).length > 0 ? "installed" : "unknown" };
  if (deletionTimestamp !== undefined) return { kind: "terminating", finalizers };
  const owners = installerEntries(live);
  if (haveWritten(owners, copy.owners)) return { kind: "installed" };
  const fields = differences(comparablePart(copy.object, copy.owners), comparablePart(live, copy.owners));
  // Nobody but an installer can change a field, or own one more, without taking one away. Times tell whole seconds only.
  if (copy.owners.every((owner) => ownsAllOf(owners, owner))) return { kind: fields.length > 0 ? "installed" : "untouched" };
  return { kind: "edited", fields: fields.length > 0 ? fields : ["metadata.managedFields"], by: lastWriters(managedFields, copy) };
}

/** Whether what an installer owned is still its own. */
function ownsAllOf(live: readonly ManagedFieldsEntry[], owner: ManagedFieldsEntry): boolean {
  const now = live.find((entry) => isSameOwner(entry, owner));
  return now !== undefined && hasFields(comparedFields([now]), comparedFields([owner]));
}

/** Managers that are no installers, the newest first; status and scale are subresources, and scaling is an edit. */
function lastWriters(entries: readonly ManagedFieldsEntry[], copy: ComponentCopy): string {
  const others = entries
    .filter((entry) => entry.subresource !== "status" && !copy.owners.some((owner) => isSameOwner(owner, entry)))
    .sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""));
  return others[0]?.manager ?? "somebody who is not recorded";
}
