import { type Policy, WORKER } from "./policy.ts";

/** What the worker may write into Gateways and Ingresses. The simulated API server has neither, and the worker is given no class of them: nothing. */
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
