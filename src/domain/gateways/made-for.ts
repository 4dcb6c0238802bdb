import { MADE_FOR } from "../annotations.ts";
import { isOwner } from "../healing/field-owners.ts";
import { objectKey } from "../object-key.ts";
import { type HeldClass, wholeClass } from "../provider-class/held-class.ts";
import { type OwnerKind, ownerKey } from "./owner-kinds.ts";

/** Under which classes of Gateways and Ingresses, and references to their Secrets, are written. Names are forever. */
export const GATEWAY_MANAGER = "keyvault-injector-gateways";

/**
 * Whom a class was made for, as a key of {@link ownerKey}; undefined for a class that is not the worker's own. Its marks alone prove nothing: a
 * copy that somebody made of such a class has them, too, and another field manager.
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

/** Who wrote a class that is in the way, for messages. */
export function writerOf(spc: HeldClass): string {
  const other = madeFor(spc);
  if (other !== undefined) return `the worker created it for ${other}`;
  if (isAppRoutings(spc)) return "the AKS add-on App Routing created it";
  return `someone else wrote it (${objectKey(spc.metadata)})`;
}

/** Field manager of Azure/aks-app-routing-operator, and its `app.kubernetes.io/managed-by`. */
export const APP_ROUTING = "aks-app-routing-operator";

/** The operator of App Routing wrote the class: it takes over by force whatever has the name that it wants. */
export function isAppRoutings(spc: HeldClass): boolean {
  const { labels = {}, managedFields } = wholeClass(spc).metadata;
  return labels["app.kubernetes.io/managed-by"] === APP_ROUTING || isOwner(APP_ROUTING, managedFields);
}
