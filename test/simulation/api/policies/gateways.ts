import { type Policy, WORKER } from "./policy.ts";

/** Refuses all writes of the worker to Gateways and Ingresses: the simulated API server has neither, and the worker gets no class of them. */
export const GATEWAYS: Policy = {
  name: "keyvault-injector-sync-gateways",
  user: WORKER,
  resources: [
    "gateways.gateway.networking.k8s.io",
    "gateways.gateway.networking.k8s.io/status",
    "ingresses.networking.k8s.io",
    "ingresses.networking.k8s.io/status",
  ],
  rules: () => [{ holds: false, message: "the sync worker cannot create or delete a Gateway or an Ingress, or write its status" }],
};
