import type { OwnerKind } from "./owner-kinds.ts";

/** GatewayClasses and IngressClasses that an operator named. */
export type NamedClasses = Readonly<Record<OwnerKind, readonly string[]>>;

export interface ServedClasses {
  readonly served: NamedClasses;
  /** Left to another controller. */
  readonly refused: readonly { readonly kind: OwnerKind; readonly name: string }[];
}

/**
 * Those of App Routing, whose operator on AKS does the same for them, and takes over by force what has the names that it writes. Its GatewayClass
 * `istio`, which belongs to the mesh add-on, is everybody's name for Istio: what the operator writes there shows on the classes.
 */
const APP_ROUTINGS: NamedClasses = {
  Gateway: ["approuting-istio"],
  Ingress: ["webapprouting.kubernetes.azure.com"],
};

/** Two controllers for one class would fight. */
export function servedClasses(named: NamedClasses): ServedClasses {
  const isServed = (kind: OwnerKind) => (name: string) => !APP_ROUTINGS[kind].includes(name);
  const kinds = ["Gateway", "Ingress"] as const;
  return {
    served: { Gateway: named.Gateway.filter(isServed("Gateway")), Ingress: named.Ingress.filter(isServed("Ingress")) },
    refused: kinds.flatMap((kind) => named[kind].filter((name) => !isServed(kind)(name)).map((name) => ({ kind, name }))),
  };
}
