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

/** Names of the Secrets, one of each kind, in a tenant's namespace and in kube-system. */
export const SECRETS = [TENANT, "kube-system"].flatMap((namespace) => Object.keys(FOREIGN).map((name) => ({ namespace, name })));

/** A class of a tenant, from which the driver mounts. */
export const CLASS = {
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { namespace: TENANT, name: "orders" },
  spec: { provider: "azure", parameters: { keyvaultName: "shop" }, secretObjects: [] },
};

interface Installed {
  readonly plane: ControlPlane;
  /** Token of the worker. */
  readonly token: string;
  /** Names of the policies. Each has a binding of the same name. */
  readonly policies: readonly string[];
}

/** Starts the API server with the install as in its overlay, the driver and the provider with the roles for their healing, and a tenant. */
export async function installed(overlay: string): Promise<Installed> {
  const plane = await startControlPlane({ controllerManager: false });
  await installDefinitions(plane);
  // If the overlay supports it, test the worst case: a worker that heals driver and provider.
  const own = `overlays/${overlay}`;
  const product = overlay === "default" ? await healingManifests(own) : await folderManifests(own);
  const shipped = [...product, ...(await healingManifests("components/csi-driver", "components/azure-provider"))];
  const policies = shipped.filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding").map(({ metadata }) => metadata.name);
  const items = [...shipped, ...tenantObjects()];
  await plane.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const token = await serviceAccountToken(plane, OWN, "keyvault-injector-sync");
  return { plane, token, policies };
}

/** Objects that a thief would want, and workloads of a tenant. */
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
