import { memberOf, membersOf } from "../json-members.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { additionsTo } from "./additions.ts";
import { type Component, typeOf } from "./components.ts";
import { disowned, intersection, isEmptySet, withoutFields } from "./field-sets.ts";
import { installerEntries, isInstaller } from "./installers.ts";
import { comparedFields, type FieldSet, ownedPart, union } from "./owned-fields.ts";
import { beforeEnforcement, type Tolerated, toleratedIn } from "./platform-managers.ts";

/** Increase this with every change of a copy's content. The worker does not read an older format and takes the copy anew. */
export const COPY_FORMAT = 1;

/** A component as its installer last applied it: the fields that installers own, and the record of owners. */
export interface ComponentCopy {
  readonly format: typeof COPY_FORMAT;
  /** Id of the {@link Component}. */
  readonly id: string;
  /** Object to apply: type, name and the installers' fields. */
  readonly object: KubeObject;
  /** The unchanged entries of the installers in `managedFields`, times included. */
  readonly owners: readonly ManagedFieldsEntry[];
  /**
   * Fields that others had added before the worker took its first copy of this install. The worker does not know whether they are intended,
   * so it reports them and leaves them. Copies from before 0.4.0 do not have this list, and the worker takes them anew.
   */
  readonly accepted?: FieldSet;
}

/**
 * Returns a copy; undefined if no installer is recorded, because the intended state is unknown then. A write by an installer does not make
 * fields that others added the installer's. Such a field stays accepted if the copy before accepted it.
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

/**
 * Returns the copy without fields that a platform is allowed to change in the live object. The worker neither compares nor writes these.
 */
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

/** Returns the part of an object that the owners have, without name and type, in an order that is the same for equal content. */
export function comparablePart(object: KubeObject, owners: readonly ManagedFieldsEntry[]): unknown {
  return ownedPart(object, comparedFields(owners), "comparable");
}

/** Returns the manager under whose name the copy is applied: the installer that wrote last. */
export function managerOf({ owners }: ComponentCopy): string {
  const [last] = [...owners].sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""));
  return last?.manager ?? "";
}

export interface Healed {
  /** Entries after the repair, as the API server returned them. */
  readonly applied: readonly ManagedFieldsEntry[];
  readonly healer: string;
  /** Fields that others had added and that the repair removed. */
  readonly removed: FieldSet;
}

/**
 * Returns the owners after the copy was applied under an installer's name. The installers' entries are as before, including their times, so
 * that their next apply changes nothing. All other managers keep their entries from the API server, except for removed fields.
 */
export function ownersAfterHealing(copy: ComponentCopy, { applied, healer, removed }: Healed): readonly ManagedFieldsEntry[] {
  const others = applied.filter((entry) => !isInstaller(entry) && !isTrace(copy, entry, healer));
  return [...copy.owners, ...disowned(others, removed)];
}

/**
 * Whether the entry is left from a repair: the healer's own entry, or an `Apply` entry of an installer that never had one, because a repair
 * uses a client-side installer's name for a server-side apply.
 */
function isTrace(copy: ComponentCopy, { manager, operation, subresource }: ManagedFieldsEntry, healer: string): boolean {
  return subresource === undefined && (manager === healer || (manager === managerOf(copy) && operation === "Apply"));
}

/** Whether a repair applied its copy but did not hand the fields back yet. An installer's own entry is not left from a repair. */
export function isHandingBackDue(copy: ComponentCopy, { metadata }: KubeObject, healer: string): boolean {
  return (metadata.managedFields ?? []).some((entry) => !isInstaller(entry) && isTrace(copy, entry, healer));
}

/**
 * Whether a repair wrote some of the installers' fields under its own name and did not hand them back. An apply that changes no value adds
 * the copy's fields to an installer's entry and keeps the entry's time, so neither values nor times show this.
 */
export function isHalfHandedBack({ owners }: ComponentCopy, { metadata }: KubeObject, healer: string): boolean {
  const own = (metadata.managedFields ?? []).filter(({ manager, subresource }) => manager === healer && subresource === undefined);
  return !isEmptySet(intersection(comparedFields(own), comparedFields(owners)));
}
