import { execFileSync } from "node:child_process";
import path from "node:path";
import { builtProgram } from "../../e2e/support/binaries.ts";
import { type ControlPlane } from "../../support/cluster/control-plane.ts";
import { freePort } from "../../support/cluster/product.ts";
import { CREDENTIALS } from "../../support/worker/sync-world.ts";
import { isReady, type Launched, launch } from "../launch.ts";
import type { StartOptions, SyncContestant, Wish } from "./contestant.ts";
import type { BenchObject, BenchVault } from "./vaults.ts";

const MODULE = path.resolve(import.meta.dirname, "../go/external-secrets");
const PACKAGE = "github.com/external-secrets/external-secrets";
const NAMESPACE = "external-secrets";
export const API = "/apis/external-secrets.io/v1";
const STORE = "vault";

/** Flags of the operator: none, or those that its users raise if it is slow. */
export const SETTINGS = {
  default: [],
  tuned: ["--concurrent=8", "--client-qps=1000", "--client-burst=1000"],
} as const;

/** External Secrets Operator: one ExternalSecret for each Secret, one SecretStore for each vault, with an administrator's rights. */
export function externalSecrets(setting: keyof typeof SETTINGS): SyncContestant {
  return {
    name: `external-secrets, ${setting}`,
    user: `system:serviceaccount:${NAMESPACE}:${NAMESPACE}`,
    install,
    wishes: (objects, vaults, intervalSeconds) => [
      ...vaults.map(storeWish),
      ...objects.map((object) => secretWish(object, intervalSeconds)),
    ],
    start: (plane, options) => start(plane, { ...options, flags: [...SETTINGS[setting], ...(options.flags ?? [])] }),
  };
}

async function install(plane: ControlPlane): Promise<void> {
  const folder = execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", PACKAGE], { cwd: MODULE, encoding: "utf8" }).trim();
  await plane.kubectl(["apply", "--server-side", "-k", path.join(folder, "config/crds/bases")]);
  await plane.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  await plane.kubectl(["create", "serviceaccount", NAMESPACE, "-n", NAMESPACE]);
  const binding = ["create", "clusterrolebinding", NAMESPACE, "--clusterrole=cluster-admin"];
  await plane.kubectl([...binding, `--serviceaccount=${NAMESPACE}:${NAMESPACE}`]);
}

function storeWish({ name, tenantId }: BenchVault): Wish {
  const authSecretRef = { clientId: { name: CREDENTIALS, key: "clientid" }, clientSecret: { name: CREDENTIALS, key: "clientsecret" } };
  const azurekv = { authType: "ServicePrincipal", tenantId, vaultUrl: `https://${name}.vault.azure.net`, authSecretRef };
  const body = {
    apiVersion: "external-secrets.io/v1",
    kind: "SecretStore",
    metadata: { namespace: name, name: STORE },
    spec: { provider: { azurekv } },
  };
  return { path: `${API}/namespaces/${name}/secretstores`, body };
}

function secretWish({ name, vault }: BenchObject, intervalSeconds: number): Wish {
  const spec = {
    refreshInterval: `${intervalSeconds}s`,
    secretStoreRef: { kind: "SecretStore", name: STORE },
    target: { name },
    data: [{ secretKey: "value", remoteRef: { key: name } }],
  };
  const body = { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret", metadata: { namespace: vault.name, name }, spec };
  return { path: `${API}/namespaces/${vault.name}/externalsecrets`, body };
}

async function start(plane: ControlPlane, { environment, flags = [] }: StartOptions): Promise<Launched> {
  const [live, metrics] = [await freePort(), await freePort()];
  const kubeconfig = await plane.kubeconfigFor({ namespace: NAMESPACE, name: NAMESPACE });
  return launch(plane, {
    name: NAMESPACE,
    command: await builtProgram("external-secrets"),
    args: [`--live-addr=127.0.0.1:${live}`, `--metrics-addr=127.0.0.1:${metrics}`, ...flags],
    environment: { ...environment, KUBECONFIG: kubeconfig },
    isUp: () => isReady(live, "/healthz"),
  });
}
