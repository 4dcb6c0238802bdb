import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";

import { builtProgram } from "../../e2e/support/binaries.ts";
import type { ProductBuild } from "../../support/cluster/built-product.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { onOneMachine, shippedArguments, shippedNodeFlags, shippedVariables } from "../../support/cluster/one-machine.ts";
import { freePort } from "../../support/cluster/product.ts";
import { folderManifests, MANIFESTS, parseManifests, renderDefaultOverlay } from "../../support/cluster/shipped-manifests.ts";
import { selfSignedCertificate } from "../../support/fixtures/serving-certificate.ts";
import { webhookTarget } from "../../support/webhook/webhook-request.ts";
import { isReady, launch } from "../launch.ts";
import type { Target } from "./load.ts";
import { BENCH_CLASS, BENCH_NAMESPACE } from "./reviews.ts";

export interface Contestant {
  readonly name: string;
  readonly pid: number;
  readonly target: Target;
  /** Time from the start of the process to its readiness, in milliseconds. */
  readonly startMs: number;
  stop(): Promise<unknown>;
}

const NAMESPACE = "keyvault-injector";
const SERVICE_NAME = "keyvault-injector-webhook.keyvault-injector.svc";

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Creates certificate files for contestants that do not create their own. */
function certificateFiles(plane: ControlPlane) {
  const folder = path.join(plane.directory, "certificate");
  mkdirSync(folder, { recursive: true });
  const { cert, key } = selfSignedCertificate();
  const files = { folder, cert: path.join(folder, "tls.crt"), key: path.join(folder, "tls.key"), ca: cert };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

/** Starts a server from this folder. It needs only its certificate. */
export async function startBaseline(plane: ControlPlane, name: "bare" | "express"): Promise<Contestant> {
  const port = await freePort();
  const { cert, key, ca } = certificateFiles(plane);
  const program = path.join(import.meta.dirname, `${name}-server.ts`);
  const started = await launch(plane, {
    name,
    command: process.execPath,
    args: [program, cert, key, `${port}`],
    isUp: () => accepts(port),
  });
  return { name, ...started, target: { port, ca, servername: "localhost", path: "/mutate/pods" } };
}

/** Applies our manifests and the objects that the benchmark's pods need. */
export async function prepareCluster(plane: ControlPlane): Promise<void> {
  await plane.kubectl(["apply", "-k", path.join(MANIFESTS, "crds")]);
  const shipped = parseManifests(await renderDefaultOverlay());
  const list = { apiVersion: "v1", kind: "List", items: onOneMachine(shipped, 443) };
  await plane.kubectl(["apply", "-f", "-"], JSON.stringify(list));
  await plane.kubectl(["create", "namespace", BENCH_NAMESPACE]);
  const parameters = { keyvaultName: "bench", tenantID: "11111111-2222-3333-4444-555555555555", objects: "array: []" };
  const items = [
    {
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClass",
      metadata: { name: BENCH_CLASS, namespace: BENCH_NAMESPACE },
      spec: { provider: "azure", parameters },
    },
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: {
        name: "default",
        namespace: BENCH_NAMESPACE,
        annotations: { "azure.workload.identity/client-id": "99999999-2222-3333-4444-555555555555" },
      },
    },
  ];
  await plane.kubectl(
    ["apply", "--server-side", "--force-conflicts", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
}

/** Starts the compiled webhook with the shipped arguments, under its own ServiceAccount. */
export async function startOurs(plane: ControlPlane, { name, main, manifests }: ProductBuild): Promise<Contestant> {
  const [admissionPort, healthPort] = [await freePort(), await freePort()];
  const shipped = await folderManifests(path.join(manifests, "overlays/default"));
  const account = "keyvault-injector-webhook";
  const kubeconfig = await plane.kubeconfigFor({ namespace: NAMESPACE, name: account });
  const ports = ["--bind-address=127.0.0.1", `--admission-port=${admissionPort}`, `--health-port=${healthPort}`];
  const started = await launch(plane, {
    name: "ours",
    command: process.execPath,
    args: [...shippedNodeFlags(shipped, account), main, ...shippedArguments(shipped, account), ...ports],
    environment: {
      ...shippedVariables(shipped, account),
      KUBECONFIG: kubeconfig,
      POD_NAMESPACE: NAMESPACE,
      POD_NAME: `bench-${healthPort}`,
    },
    isUp: () => isReady(healthPort, "/readyz"),
  });
  const { ca } = await webhookTarget(plane, admissionPort);
  return { name, ...started, target: { port: admissionPort, ca, servername: SERVICE_NAME, path: "/mutate/pods" } };
}

const AWI_PORT = 9443;

/** Starts Azure Workload Identity's webhook, whose port is fixed. It has an administrator's rights, which saves no work at run time. */
export async function startAzureWorkloadIdentity(plane: ControlPlane): Promise<Contestant> {
  const [health, metrics] = [await freePort(), await freePort()];
  const { folder, ca } = certificateFiles(plane);
  const started = await launch(plane, {
    name: "azure-workload-identity",
    command: await builtProgram("azure-workload-identity"),
    args: ["--disable-cert-rotation", `--webhook-cert-dir=${folder}`, `--health-addr=:${health}`, `--metrics-addr=:${metrics}`],
    environment: {
      KUBECONFIG: plane.kubeconfigPath,
      POD_NAMESPACE: "kube-system",
      AZURE_TENANT_ID: "11111111-2222-3333-4444-555555555555",
      AZURE_ENVIRONMENT: "AzurePublicCloud",
    },
    isUp: () => isReady(health, "/readyz"),
  });
  return { name: "azure-workload-identity", ...started, target: { port: AWI_PORT, ca, servername: "localhost", path: "/mutate-v1-pod" } };
}
