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
 * names that it writes. The operator also serves the GatewayClass `istio`, which is not listed, because it is the usual name for Istio on any
 * cluster. There, the SecretProviderClasses show which ones the operator wrote. The policies on authors exempt these names only. If a
 * release removed a name here, the worker would use the accounts in objects of that class that no policy has judged.
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
