import { readFileSync } from "node:fs";
import path from "node:path";
import { TLS_KEYS } from "../../../src/domain/gateways/tls-entry.ts";
import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { APPLY_PATCH, apiRequest } from "../../support/cluster/api-request.ts";
import { trustCluster } from "../../support/cluster/cluster-trust.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { parseManifests, renderOwnKustomization } from "../../support/cluster/shipped-manifests.ts";
import { find, type SyncWorld, send, startSyncWorld } from "../../support/worker/sync-world.ts";
import { moduleFolder } from "../go-module.ts";

export const GATEWAY_CRD = "gateways.gateway.networking.k8s.io";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GATEWAYS = "/apis/gateway.networking.k8s.io/v1";
const INGRESSES = "/apis/networking.k8s.io/v1";

/** ServiceAccount in each namespace, federated with an application that may read the vault. */
export const ACCOUNT = "gateway-cert";
/** GatewayClass and IngressClass that the operator listed. */
export const NAMED = "shop-gateways";
/** Field manager of a GitOps tool. */
export const AUTHOR = "kustomize-controller";

export interface Listener {
  readonly name: string;
  readonly address?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly certificateRefs?: readonly unknown[];
}

export interface GatewayWorld extends SyncWorld {
  addressOf(certificate: string): string;
  /** Creates the account, with an identity that may read the vault. */
  createAccount(namespace: string): Promise<void>;
  /** Creates a namespace with the account and grants the account to the worker. */
  gatewayNamespace(): Promise<string>;
}

/** Starts the install with the component, but without the Gateway API. */
export async function startGatewayWorld(): Promise<GatewayWorld> {
  const world = await startSyncWorld();
  const { plane, emulator, tenantId, vault } = world;
  const rendered = await renderOwnKustomization({ resources: ["overlays/default"], components: ["components/gateway-tls"] });
  const names = ["sync", "sync-classes", "gateway-identities", "gateway-authors"].map((name) => `keyvault-injector-${name}`);
  const kinds = ["ClusterRole", "Role", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];
  const rights = parseManifests(rendered).filter(({ kind, metadata }) => kinds.includes(kind) && names.includes(metadata.name));
  await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: rights }));
  const issuer = await trustCluster(emulator, plane);
  const { appId } = await emulator.createServicePrincipal({ tenantId });
  await emulator.grant({ vault, appId, permissions: ["get"] });
  const createAccount = async (namespace: string): Promise<void> => {
    await emulator.addFederatedCredential({ appId, issuer, subject: `system:serviceaccount:${namespace}:${ACCOUNT}` });
    const annotations = { "azure.workload.identity/client-id": appId, "azure.workload.identity/tenant-id": tenantId };
    const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, annotations } };
    await send(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body });
  };
  return {
    ...world,
    createAccount,
    addressOf: (certificate) => `https://${vault}.vault.azure.net/certificates/${certificate}`,
    gatewayNamespace: async () => {
      const namespace = await world.namespace({ credentials: false, accounts: [ACCOUNT] });
      await createAccount(namespace);
      return namespace;
    },
  };
}

/** Installs the definition that the Gateway API ships. */
export async function installGatewayApi(plane: ControlPlane): Promise<void> {
  const file = path.join(moduleFolder("sigs.k8s.io/gateway-api"), "config/crd/standard/gateway.networking.k8s.io_gateways.yaml");
  await plane.kubectl(["apply", "--server-side", "-f", "-"], readFileSync(file, "utf8"));
  // Wait for a first condition: kubectl fails immediately if it waits for Established while the definition has no conditions.
  await plane.kubectl(["wait", "--for=jsonpath={.status.conditions[0].type}", `crd/${GATEWAY_CRD}`, "--timeout=20s"]);
  await plane.kubectl(["wait", "--for=condition=Established", `crd/${GATEWAY_CRD}`, "--timeout=20s"]);
}

export async function removeGatewayApi(plane: ControlPlane): Promise<void> {
  await send(plane, { method: "DELETE", path: `${CRDS}/${GATEWAY_CRD}` });
}

export const gatewayPath = (namespace: string, name: string): string => `${GATEWAYS}/namespaces/${namespace}/gateways/${name}`;
export const ingressPath = (namespace: string, name: string): string => `${INGRESSES}/namespaces/${namespace}/ingresses/${name}`;

export interface GatewayFacts {
  readonly namespace: string;
  readonly name: string;
  readonly className?: string;
  readonly listeners: readonly Listener[];
}

export function gatewayOf({ namespace, name, className = NAMED, listeners }: GatewayFacts): KubeObject {
  const listenerOf = ({ name: of, address, options = {}, certificateRefs }: Listener) => {
    const asked = address === undefined ? {} : { [TLS_KEYS.address]: address, [TLS_KEYS.account]: ACCOUNT };
    const tls = { options: { ...asked, ...options }, ...(certificateRefs === undefined ? {} : { certificateRefs }) };
    return { name: of, port: 443, protocol: "HTTPS", hostname: `${of}.example.com`, tls };
  };
  const spec = { gatewayClassName: className, listeners: listeners.map(listenerOf) };
  return { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata: { namespace, name }, spec } as KubeObject; // An object with a spec.
}

/** Applies server-side, like a GitOps tool. Throws if the API server rejects the write. */
export async function applyAs(plane: ControlPlane, where: string, body: KubeObject): Promise<void> {
  await send(plane, { method: "PATCH", path: `${where}?fieldManager=${AUTHOR}&force=true`, body, contentType: APPLY_PATCH });
}

export async function applyGateway(plane: ControlPlane, facts: GatewayFacts): Promise<void> {
  await applyAs(plane, gatewayPath(facts.namespace, facts.name), gatewayOf(facts));
}

/** Fields of a Gateway under `spec`. */
export interface GatewaySpec {
  readonly listeners: readonly {
    readonly name: string;
    readonly tls?: { readonly certificateRefs?: readonly { readonly name: string }[] };
  }[];
}

export async function liveGateway(
  plane: ControlPlane,
  namespace: string,
  name: string,
): Promise<KubeObject & { readonly spec: GatewaySpec }> {
  const found = await find<KubeObject & { readonly spec: GatewaySpec }>(plane, gatewayPath(namespace, name));
  if (found === undefined) throw new Error(`no Gateway ${namespace}/${name}`);
  return found;
}

/** Returns the names of the referenced Secrets by listener. */
export async function referencesOf(
  plane: ControlPlane,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const { spec } = await liveGateway(plane, namespace, name);
  return Object.fromEntries(
    spec.listeners.map((listener) => [listener.name, (listener.tls?.certificateRefs ?? []).map(({ name: secret }) => secret)]),
  );
}

/** Returns the changes that the author's next apply would make. Empty if the worker left all of the author's fields unchanged. */
export async function changedByAuthor(plane: ControlPlane, where: string, body: KubeObject): Promise<readonly string[]> {
  const path_ = `${where}?fieldManager=${AUTHOR}&dryRun=All`;
  const [before, { status, body: after }] = [
    await find<KubeObject>(plane, where),
    await apiRequest(plane, { method: "PATCH", path: path_, body, contentType: APPLY_PATCH }),
  ];
  if (status !== 200) return [`${status} ${JSON.stringify(after)}`];
  const specOf = (object: unknown): string => JSON.stringify((object as { readonly spec?: unknown }).spec);
  return specOf(before) === specOf(after) ? [] : [specOf(before), specOf(after)];
}
