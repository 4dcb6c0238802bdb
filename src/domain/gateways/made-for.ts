import { MADE_FOR } from "../annotations.ts";
import { isOwner } from "../healing/field-owners.ts";
import { objectKey } from "../object-key.ts";
import { type HeldClass, wholeClass } from "../provider-class/held-class.ts";
import { type OwnerKind, ownerKey } from "./owner-kinds.ts";

/** Field manager with which the worker writes classes of Gateways and Ingresses, and references to their Secrets. Must never change. */
export const GATEWAY_MANAGER = "keyvault-injector-gateways";

/**
 * Returns the {@link ownerKey} of the object that a class was made for; undefined if the worker did not create the class. The marks alone
 * prove nothing: if another user copies such a class, the copy has the marks, but another field manager.
 */
export function madeFor(spc: HeldClass): string | undefined {
  const kind = markedKind(spc);
  const { namespace = "", annotations = {} } = spc.metadata;
  const name = annotations[MADE_FOR];
  if (kind === undefined || name === undefined || spc.excess !== undefined) return undefined;
  return isOwner(GATEWAY_MANAGER, wholeClass(spc).metadata.managedFields) ? ownerKey(kind, { namespace, name }) : undefined;
}

function markedKind({ metadata: { labels = {} } }: HeldClass): OwnerKind | undefined {
  const kind = labels[MADE_FOR];
  return kind === "Gateway" || kind === "Ingress" ? kind : undefined;
}

/** Names the writer of a conflicting class, for messages. */
export function writerOf(spc: HeldClass): string {
  const other = madeFor(spc);
  if (other !== undefined) return `the worker created it for ${other}`;
  if (isAppRoutings(spc)) return "the AKS add-on App Routing created it";
  return `someone else wrote it (${objectKey(spc.metadata)})`;
}

/** Field manager of Azure/aks-app-routing-operator, and the value of its `app.kubernetes.io/managed-by`. */
export const APP_ROUTING = "aks-app-routing-operator";

/** Whether the operator of App Routing wrote the class. The operator forcibly takes over every class with a name that it needs. */
export function isAppRoutings(spc: HeldClass): boolean {
  if (spc.metadata.labels?.["app.kubernetes.io/managed-by"] === APP_ROUTING) return true;
  // The owners of most classes need not be parsed to know that App Routing is not among them.
  if (spc.owners?.includes(APP_ROUTING) === false) return false;
  return isOwner(APP_ROUTING, wholeClass(spc).metadata.managedFields);
}
