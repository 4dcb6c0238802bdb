import type { OwnerKind } from "./owner-kinds.ts";

/** GatewayClasses and IngressClasses that an operator named. */
export type NamedClasses = Readonly<Record<OwnerKind, readonly string[]>>;

export interface ServedClasses {
  readonly served: NamedClasses;
  /** Classes that this worker leaves to another controller. */
  readonly refused: readonly { readonly kind: OwnerKind; readonly name: string }[];
}

/**
 * Classes of App Routing. On AKS, its operator does the same for these classes as the worker, and forcibly takes over objects with the
 * names that it writes. Its GatewayClass `istio` is not listed, because it belongs to the mesh add-on and `istio` is the usual name for
 * Istio. There, the SecretProviderClasses show which ones the operator wrote.
 */
const APP_ROUTINGS: NamedClasses = {
  Gateway: ["approuting-istio"],
  Ingress: ["webapprouting.kubernetes.azure.com"],
};

/** Separates the classes to serve from those of App Routing, because two controllers for one class would undo each other's changes. */
export function servedClasses(named: NamedClasses): ServedClasses {
  const isServed = (kind: OwnerKind) => (name: string) => !APP_ROUTINGS[kind].includes(name);
  const kinds = ["Gateway", "Ingress"] as const;
  return {
    served: { Gateway: named.Gateway.filter(isServed("Gateway")), Ingress: named.Ingress.filter(isServed("Ingress")) },
    refused: kinds.flatMap((kind) => named[kind].filter((name) => !isServed(kind)(name)).map((name) => ({ kind, name }))),
  };
}
