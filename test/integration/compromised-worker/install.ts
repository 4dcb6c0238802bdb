import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { serviceAccountToken } from "../../support/cluster/service-account-token.ts";
import { folderManifests, healingManifests, installDefinitions } from "../../support/cluster/shipped-manifests.ts";
import { PLANTED } from "./attempt.ts";
import { FOREIGN } from "./secrets.ts";

const OWN = "keyvault-injector";
export const TENANT = "team";
export const ACCOUNTS = [
  { namespace: TENANT, name: "app" },
  { namespace: TENANT, name: "default" },
  { namespace: "kube-system", name: "default" },
  { namespace: "kube-system", name: "secrets-store-csi-driver" },
  { namespace: OWN, name: "keyvault-injector-webhook" },
  { namespace: OWN, name: "keyvault-injector-sync" },
] as const;

/** What a Secret of each kind is called, in a tenant's namespace and in the cluster's. */
export const SECRETS = [TENANT, "kube-system"].flatMap((namespace) => Object.keys(FOREIGN).map((name) => ({ namespace, name })));

/** Somebody's, from which the driver mounts. */
export const CLASS = {
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { namespace: TENANT, name: "orders" },
  spec: { provider: "azure", parameters: { keyvaultName: "shop" }, secretObjects: [] },
};

interface Installed {
  readonly plane: ControlPlane;
  /** Of the worker. */
  readonly token: string;
  /** By name, each bound by a binding of the same name. */
  readonly policies: readonly string[];
}

/** The API server, the install as its overlay is, driver and provider with the roles of their healing, and a tenant. */
export async function installed(overlay: string): Promise<Installed> {
  const plane = await startControlPlane({ controllerManager: false });
  await installDefinitions(plane);
  // Of overlays that can have it the worst: a worker that heals driver and provider.
  const own = `overlays/${overlay}`;
  const product = overlay === "default" ? await healingManifests(own) : await folderManifests(own);
  const shipped = [...product, ...(await healingManifests("components/csi-driver", "components/azure-provider"))];
  const policies = shipped.filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding").map(({ metadata }) => metadata.name);
  const items = [...shipped, ...tenantObjects()];
  await plane.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const token = await serviceAccountToken(plane, OWN, "keyvault-injector-sync");
  return { plane, token, policies };
}

/** What a thief would want, and what somebody else runs. */
function tenantObjects(): readonly object[] {
  const web = { app: "web" };
  const template = { metadata: { labels: web }, spec: { containers: [{ name: "web", image: "web:1" }] } };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: TENANT } },
    ...ACCOUNTS.map(({ namespace, name }) => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name } })).filter(
      ({ metadata }) => ["app", "default"].includes(metadata.name),
    ),
    ...SECRETS.map(({ namespace, name }) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace, name, ...(name === "held" ? { finalizers: ["example.com/hold"] } : {}) },
      ...FOREIGN[name],
    })),
    { apiVersion: "v1", kind: "Secret", metadata: { namespace: TENANT, name: "secrets-store-creds" }, data: { clientid: PLANTED } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace: TENANT, name: "web" },
      spec: { selector: { matchLabels: web }, template },
    },
    CLASS,
  ];
}
