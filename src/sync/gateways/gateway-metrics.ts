import type { Registry } from "prom-client";
import { CERTIFICATE_STATES, type CertificateState } from "../../domain/gateways/plan.ts";
import { metricsIn } from "../../runtime/metrics.ts";

export interface GatewayMetrics {
  /** Sets the states of the owner's certificates. An empty list removes the owner from the counts. */
  observe(owner: string, states: readonly CertificateState[]): void;
}

export function createGatewayMetrics(registry: Registry): GatewayMetrics {
  const states = new Map<string, readonly CertificateState[]>();
  metricsIn(registry).observed(
    "gateway_certificates",
    "Certificates that Gateways and Ingresses of the named classes request, by state.",
    (own) => {
      const all = [...states.values()].flat();
      for (const state of CERTIFICATE_STATES) own.set({ state }, all.filter((each) => each === state).length);
    },
    ["state"],
  );
  return {
    observe: (owner, now) => {
      if (now.length === 0) states.delete(owner);
      else states.set(owner, now);
    },
  };
}
