import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { readGateway } from "./gateway.ts";
import { readIngress } from "./ingress.ts";
import { GATEWAY_MANAGER } from "./made-for.ts";
import type { OwnerKind } from "./owner-kinds.ts";
import type { ReadOwner } from "./tls-entry.ts";

/** Requests and present references of a Gateway or Ingress, in a common form. */
export interface TlsOwner extends ReadOwner {
  readonly kind: OwnerKind;
  readonly object: KubeObject;
  /** Whether the worker is among its field managers: the worker stopped before it gave up the fields that it had written. */
  readonly isOwnedByUs: boolean;
}

/** Reads the necessary parts of the object, and reduces its metadata to the identifying fields. */
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

/** Whether the worker wrote the fields of a Gateway or Ingress. */
export function isOwnEntry({ manager }: ManagedFieldsEntry): boolean {
  return manager === GATEWAY_MANAGER;
}
