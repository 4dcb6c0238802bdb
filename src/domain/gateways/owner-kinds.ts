import { inNamespace, type ObjectRef, type Resource } from "../kubernetes.ts";

/** Kinds for which the worker creates classes. */
export const OWNER_RESOURCES = {
  Gateway: inNamespace("gateway.networking.k8s.io/v1", "Gateway", "gateways"),
  Ingress: inNamespace("networking.k8s.io/v1", "Ingress", "ingresses"),
} satisfies Record<string, Resource>;

export type OwnerKind = keyof typeof OWNER_RESOURCES;

/** Returns `Gateway/namespace/name`, which the queue and the log use for an owner. */
export function ownerKey(kind: OwnerKind, { namespace = "", name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** The inverse of {@link ownerKey}. */
export function ownerOfKey(key: string): { readonly kind: OwnerKind; readonly ref: ObjectRef & { readonly namespace: string } } {
  const [kind, namespace = "", name = ""] = key.split("/");
  return { kind: kind === "Gateway" ? "Gateway" : "Ingress", ref: { namespace, name } };
}
