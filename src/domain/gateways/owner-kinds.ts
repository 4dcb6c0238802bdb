import type { ObjectRef, Resource } from "../kubernetes.ts";

/** What classes are made for. */
export const OWNER_RESOURCES = {
  Gateway: { group: "gateway.networking.k8s.io", version: "v1", plural: "gateways", kind: "Gateway", namespaced: true },
  Ingress: { group: "networking.k8s.io", version: "v1", plural: "ingresses", kind: "Ingress", namespaced: true },
} as const satisfies Record<string, Resource>;

export type OwnerKind = keyof typeof OWNER_RESOURCES;

/** `Gateway/namespace/name`: what the queue and the log call an owner. */
export function ownerKey(kind: OwnerKind, { namespace = "", name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** The inverse of {@link ownerKey}. */
export function ownerOfKey(key: string): { readonly kind: OwnerKind; readonly ref: ObjectRef & { readonly namespace: string } } {
  const [kind, namespace = "", name = ""] = key.split("/");
  return { kind: kind === "Gateway" ? "Gateway" : "Ingress", ref: { namespace, name } };
}
