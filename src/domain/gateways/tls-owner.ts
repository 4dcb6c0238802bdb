import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { readGateway } from "./gateway.ts";
import { readIngress } from "./ingress.ts";
import { GATEWAY_MANAGER } from "./made-for.ts";
import type { OwnerKind } from "./owner-kinds.ts";
import type { ReadOwner } from "./tls-entry.ts";

/** What a Gateway or an Ingress asks for, and what it has, in the form that both have in common. */
export interface TlsOwner extends ReadOwner {
  readonly kind: OwnerKind;
  readonly object: KubeObject;
  /** The worker is among its field managers: it ended before it gave the fields up that it had written. */
  readonly isOwnedByUs: boolean;
}

/** Keeps of the object what is needed, its metadata cut to what identifies it. */
export function tlsOwner(kind: OwnerKind, object: KubeObject): TlsOwner {
  const { namespace = "", name, uid = "", resourceVersion = "", deletionTimestamp, managedFields = [] } = object.metadata;
  const others = managedFields.filter((entry) => !isOwnEntry(entry));
  const { className, entries } = kind === "Gateway" ? readGateway(object, others) : readIngress(object, others);
  return {
    kind,
    object: {
      apiVersion: object.apiVersion,
      kind,
      metadata: { namespace, name, uid, resourceVersion, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    },
    className,
    entries,
    isOwnedByUs: others.length < managedFields.length,
  };
}

/** Of the worker's own writes to Gateways and Ingresses. */
export function isOwnEntry({ manager }: ManagedFieldsEntry): boolean {
  return manager === GATEWAY_MANAGER;
}
