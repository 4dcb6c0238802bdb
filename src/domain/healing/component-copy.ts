import { memberOf, membersOf } from "../json-members.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { additionsTo } from "./additions.ts";
import { type Component, typeOf } from "./components.ts";
import { disowned, intersection, isEmptySet, withoutFields } from "./field-sets.ts";
import { installerEntries, isInstaller } from "./installers.ts";
import { comparedFields, type FieldSet, ownedPart, union } from "./owned-fields.ts";
import { beforeEnforcement, type Tolerated, toleratedIn } from "./platform-managers.ts";

/** Raised with every change of what a copy holds: an older one is not understood, and taken anew. */
export const COPY_FORMAT = 1;

/** A component as its installer last applied it: the fields that installers own, and the record of who owns which. */
export interface ComponentCopy {
  readonly format: typeof COPY_FORMAT;
  /** Of the {@link Component}. */
  readonly id: string;
  /** What to apply: type, name and the installers' fields. */
  readonly object: KubeObject;
  /** The installers' entries of managedFields as they were, times included. */
  readonly owners: readonly ManagedFieldsEntry[];
  /**
   * Fields that others had added when the first copy of this install was taken: meant by whom nobody knows, they are reported and stay. Copies
   * of before 0.4.0 know none, and are taken anew.
   */
  readonly accepted?: FieldSet;
}

/**
 * Undefined where no installer is recorded: nobody knows what was meant then. An installer's write does not make what others had added the
 * installer's: of that, what the copy before it accepted is accepted.
 */
export function copyOf(component: Component, live: KubeObject, before?: ComponentCopy): ComponentCopy | undefined {
  const installed = beforeEnforcement(live);
  const owners = installerEntries(installed);
  if (owners.length === 0) return undefined;
  const { namespace, name } = component.ref;
  const found = ownedPart(installed, comparedFields(owners));
  const part = membersOf(found);
  const metadata = memberOf(part, "metadata");
  const object: KubeObject = {
    ...part,
    ...typeOf(component),
    metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }), name },
  };
  const added = additionsTo(component.resource, { object, owners }, live).fields;
  const accepted = before?.accepted === undefined ? added : intersection(added, before.accepted);
  return { format: COPY_FORMAT, id: component.id, object, owners, accepted };
}

/** The copy without what a platform may change of the live object: that is neither compared nor written. */
export function tolerating(
  copy: ComponentCopy,
  live: KubeObject,
): { readonly copy: ComponentCopy; readonly tolerated: readonly Tolerated[] } {
  const tolerated = toleratedIn(copy.object, live);
  if (tolerated.length === 0) return { copy, tolerated };
  const fields = tolerated.reduce<FieldSet>((all, each) => union(all, each.fields), {});
  const object = withoutFields(copy.object, fields) as KubeObject; // Type and metadata are not among the fields.
  return { copy: { ...copy, object, owners: disowned(copy.owners, fields) }, tolerated };
}

/** What the owners have of an object, without its name and type, in an order that is the same for equal content. */
export function comparablePart(object: KubeObject, owners: readonly ManagedFieldsEntry[]): unknown {
  return ownedPart(object, comparedFields(owners), "comparable");
}

/** Under whose name the copy is applied: the installer that wrote last. */
export function managerOf({ owners }: ComponentCopy): string {
  const [last] = [...owners].sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""));
  return last?.manager ?? "";
}

export interface Healed {
  /** As the API server says, after the repair. */
  readonly applied: readonly ManagedFieldsEntry[];
  readonly healer: string;
  /** Fields that others had added, and have gone. */
  readonly removed: FieldSet;
}

/**
 * Owners after the copy was applied under an installer's name: the installers' entries as they were, down to their times, so
 * that their next apply changes nothing. Everybody else keeps what the API server says, but for what was taken out.
 */
export function ownersAfterHealing(copy: ComponentCopy, { applied, healer, removed }: Healed): readonly ManagedFieldsEntry[] {
  const others = applied.filter((entry) => !isInstaller(entry) && !isTrace(copy, entry, healer));
  return [...copy.owners, ...disowned(others, removed)];
}

/** What a repair leaves: the healer's own entry, or, since a client-side installer's name is used for a server-side apply, one that the installer never had. */
function isTrace(copy: ComponentCopy, { manager, operation, subresource }: ManagedFieldsEntry, healer: string): boolean {
  return subresource === undefined && (manager === healer || (manager === managerOf(copy) && operation === "Apply"));
}

/** Whether a repair's apply is there, and its handing back is not: an installer's own entry is no trace. */
export function isHandingBackDue(copy: ComponentCopy, { metadata }: KubeObject, healer: string): boolean {
  return (metadata.managedFields ?? []).some((entry) => !isInstaller(entry) && isTrace(copy, entry, healer));
}

/**
 * Whether a repair has written some of the installers' fields in its own name, and has not handed them back. An apply that finds every value as it
 * is to be adds to an installer's entry what the copy names and keeps its time: neither values nor times tell then.
 */
export function isHalfHandedBack({ owners }: ComponentCopy, { metadata }: KubeObject, healer: string): boolean {
  const own = (metadata.managedFields ?? []).filter(({ manager, subresource }) => manager === healer && subresource === undefined);
  return !isEmptySet(intersection(comparedFields(own), comparedFields(owners)));
}
