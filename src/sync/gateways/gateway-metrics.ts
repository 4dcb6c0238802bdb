import { Gauge, type Registry } from "prom-client";
import { CERTIFICATE_STATES, type CertificateState } from "../../domain/gateways/plan.ts";
import { METRIC_PREFIX } from "../../runtime/metrics.ts";

export interface GatewayMetrics {
  /** How the certificates of the owner stand; none: nothing of it is counted any more. */
  observe(owner: string, states: readonly CertificateState[]): void;
}

export function createGatewayMetrics(registry: Registry): GatewayMetrics {
  const states = new Map<string, readonly CertificateState[]>();
  const gauge: Gauge<"state"> = new Gauge({
    name: `${METRIC_PREFIX}gateway_certificates`,
    help: "Certificates that Gateways and Ingresses of the named classes ask for, by how they stand.",
    labelNames: ["state"],
    registers: [registry],
    collect: () => {
      const all = [...states.values()].flat();
      for (const state of CERTIFICATE_STATES) gauge.set({ state }, all.filter((each) => each === state).length);
    },
  });
  return {
    observe: (owner, now) => {
      if (now.length === 0) states.delete(owner);
      else states.set(owner, now);
    },
  };
}
