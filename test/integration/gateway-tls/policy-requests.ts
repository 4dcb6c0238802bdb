import { TLS_KEYS } from "../../../src/domain/gateways/tls-entry.ts";
import { type ApiAnswer, type ApiCall, apiRequest, MERGE_PATCH } from "../../support/cluster/api-request.ts";
import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { assertAllowed } from "../../support/cluster/policy-answers.ts";
import { installDefinitions, renderOwnKustomization } from "../../support/cluster/shipped-manifests.ts";
import { SYNC_USER } from "../../support/worker/sync-world.ts";
import { installGatewayApi } from "./gateway-world.ts";

/** Namespace of all objects that the tests write. */
export const SHOP = "shop";
export const ADDRESS = "https://demo.vault.azure.net/certificates/web";
/** Annotations with which an Ingress requests `spec.tls`. */
export const MANAGED = { [TLS_KEYS.address]: ADDRESS, [TLS_KEYS.managed]: "true" };

export type Options = Readonly<Record<string, string>>;

/** Requests to an API server with the product's policies and the Gateway API, grouped by their sender. */
export interface PolicyPlane {
  readonly plane: ControlPlane;
  /** Sends the request as a dry run. */
  dry(call: ApiCall): Promise<ApiAnswer>;
  /** Sends a merge patch as a dry run, with the worker's field manager, so that ownership does not change. `as` defaults to the worker. */
  merged(where: string, body: unknown, as?: string): Promise<ApiAnswer>;
  /** Creates the object as an author who may do everything. Resolves to its path. */
  made(where: string, body: unknown): Promise<string>;
  /** Installs the overlay with the component. */
  install(overlay: string): Promise<void>;
}

/** Starts with the default overlay, without the component. */
export async function startPolicyPlane(): Promise<PolicyPlane> {
  const plane = await startControlPlane({ controllerManager: false });
  await installDefinitions(plane);
  await installGatewayApi(plane);
  const install = async (overlay: string, components: readonly string[]): Promise<void> => {
    const text = await renderOwnKustomization({ resources: [`overlays/${overlay}`], components });
    await plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], text);
  };
  await install("default", []);
  await plane.kubectl(["create", "namespace", SHOP]);
  return {
    plane,
    dry: (call) => apiRequest(plane, { ...call, path: `${call.path}?dryRun=All` }),
    merged: (where, body, as = SYNC_USER) => {
      const path = `${where}?fieldManager=keyvault-injector-gateways&dryRun=All`;
      return apiRequest(plane, { method: "PATCH", path, body, contentType: MERGE_PATCH, as });
    },
    made: async (where, body) => {
      assertAllowed(await apiRequest(plane, { method: "POST", path: `${collectionOf(where)}?fieldManager=author`, body }));
      return where;
    },
    install: (overlay) => install(overlay, ["components/gateway-tls"]),
  };
}

export function collectionOf(where: string): string {
  return where.slice(0, where.lastIndexOf("/"));
}

export function aGateway(name: string, options: Options, refs?: readonly unknown[]) {
  const tls = { options: { "example.com/kept": "x", ...options }, ...(refs === undefined ? {} : { certificateRefs: refs }) };
  const spec = { gatewayClassName: "any", listeners: [{ name: "https", port: 443, protocol: "HTTPS", tls }] };
  return { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata: { namespace: SHOP, name }, spec };
}

export function anIngress(name: string, annotations: Options, more: Readonly<Record<string, unknown>> = {}) {
  const backend = { service: { name: "shop", port: { number: 80 } } };
  const rules = [{ host: "shop.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
  const metadata = { namespace: SHOP, name, annotations };
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec: { ingressClassName: "any", rules, ...more } };
}

/** A Gateway with the maximum number of listeners that the Gateway API allows. It names an account, so each listener uses it. */
export function aFullGateway(name: string) {
  const { spec, ...gateway } = aGateway(name, { [TLS_KEYS.address]: ADDRESS, [TLS_KEYS.account]: "reader" });
  const [listener] = spec.listeners;
  const listeners = Array.from({ length: 64 }, (_, index) => ({ ...listener, name: `https-${index}`, hostname: `h${index}.example.com` }));
  return { ...gateway, spec: { ...spec, listeners } };
}
