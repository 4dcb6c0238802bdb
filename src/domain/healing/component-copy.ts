import { isJsonObject } from "../json-object.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { type Component, typeOf } from "./components.ts";
import { installerEntries, isInstaller } from "./installers.ts";
import { comparedFields, ownedPart } from "./owned-fields.ts";

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
}

/** Undefined where no installer is recorded: nobody knows what was meant then. */
export function copyOf(component: Component, live: KubeObject): ComponentCopy | undefined {
  const owners = installerEntries(live);
  if (owners.length === 0) return undefined;
  const { namespace, name } = component.ref;
  const found = ownedPart(live, comparedFields(owners));
  const part = isJsonObject(found) ? found : {};
  const metadata = isJsonObject(part["metadata"]) ? part["metadata"] : {};
  const object: KubeObject = {
    ...part,
    ...typeOf(component),
    metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }), name },
  };
  return { format: COPY_FORMAT, id: component.id, object, owners };
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

/**
 * Owners after the copy was applied under an installer's name: the installers' entries as they were, down to their times, so
 * that their next apply changes nothing. Everybody else keeps what the API server says; `healer` is our own manager.
 */
export function ownersAfterHealing(
  copy: ComponentCopy,
  applied: readonly ManagedFieldsEntry[],
  healer: string,
): readonly ManagedFieldsEntry[] {
  const manager = managerOf(copy);
  // A client-side installer's name is used for a server-side apply, which leaves an entry that it never had.
  const isTrace = (entry: ManagedFieldsEntry): boolean =>
    entry.subresource === undefined && (entry.manager === healer || (entry.manager === manager && entry.operation === "Apply"));
  return [...copy.owners, ...applied.filter((entry) => !isInstaller(entry) && !isTrace(entry))];
}
