import { Registry } from "prom-client";
import { OWNER_RESOURCES } from "../../../src/domain/gateways/owner-kinds.ts";
import { TLS_KEYS } from "../../../src/domain/gateways/tls-entry.ts";
import type { KubeObject, ObjectMeta } from "../../../src/domain/kubernetes.ts";
import { createGatewayMetrics } from "../../../src/sync/gateways/gateway-metrics.ts";
import { createGateways } from "../../../src/sync/gateways/gateways.ts";
import { ADDRESS } from "../fixtures/gateway-plans.ts";
import type { Leader, SimulatedWorld } from "./world.ts";

/** Name of the IngressClass and the GatewayClass that the operator listed. */
export const NAMED = "named";

export interface SimulatedIngress {
  readonly namespace: string;
  readonly name: string;
  readonly className?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly tls?: readonly unknown[];
  /** Hosts of its rules. */
  readonly hosts?: readonly string[];
  /** Field manager of its author. */
  readonly manager?: string;
}

export const ASKING = { [TLS_KEYS.address]: ADDRESS };

export function putIngress(
  world: SimulatedWorld,
  { namespace, name, className = NAMED, annotations = ASKING, tls, hosts = ["shop.example.com"], manager }: SimulatedIngress,
): KubeObject {
  const metadata: ObjectMeta = { namespace, name, annotations };
  const spec = { ingressClassName: className, rules: hosts.map((host) => ({ host })), ...(tls === undefined ? {} : { tls }) };
  const body = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec } as KubeObject; // The object has a spec.
  return world.cluster.put(OWNER_RESOURCES.Ingress, body, manager);
}

export interface SimulatedGateway {
  readonly namespace: string;
  readonly name: string;
  readonly listeners: readonly { readonly name: string; readonly options: Readonly<Record<string, string>> }[];
}

export function putGateway(world: SimulatedWorld, { namespace, name, listeners }: SimulatedGateway): void {
  const spec = {
    gatewayClassName: NAMED,
    listeners: listeners.map((listener) => ({ name: listener.name, protocol: "HTTPS", tls: { options: listener.options } })),
  };
  const body = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata: { namespace, name }, spec };
  world.cluster.put(OWNER_RESOURCES.Gateway, body);
}

/** Starts a leader that assigns certificates to Gateways and Ingresses of the class {@link NAMED}. */
export function leadGateways(world: SimulatedWorld): Leader {
  const { cluster, clock, logger } = world;
  const gateways = createGateways({
    named: { Gateway: [NAMED], Ingress: [NAMED] },
    tenantId: "aaaaaaaa-0000-0000-0000-000000000001",
    nodeClientId: "",
    watcher: cluster.watcher,
    metrics: createGatewayMetrics(new Registry()),
    clock,
    logger,
    random: () => 0.5,
  });
  return world.lead({ gateways });
}
