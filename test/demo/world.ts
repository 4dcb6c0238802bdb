import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { baseEnvironment } from "../support/processes/base-environment.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Everything that the demo runs on, and the names of this run. All names that the document does not specify are random. */
export interface World {
  readonly plane: ControlPlane;
  readonly emulator: SpawnedEmulator;
  readonly emulatorDir: string;
  readonly product: Product;
  readonly webhook: ProductProcess;
  readonly sync: ProductProcess;
  readonly names: Names;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Runs the emulator's own command line, as a user would. */
  vaultCli(args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export interface Names {
  readonly tenant: string;
  readonly vault: string;
  readonly appId: string;
  readonly clientSecret: string;
  /** Name of the class in the document. */
  readonly documentClass: string;
  readonly mirroredClass: string;
  readonly mirroredSecret: string;
}

export interface StartedPart {
  readonly name: string;
  readonly milliseconds: number;
}

/** Starts the control plane, the emulator and both processes. Reports each part as soon as it runs. */
export async function startWorld(version: ApiServerVersion, onStarted: (part: StartedPart) => void): Promise<World> {
  const timed = async <T>(name: string, start: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const value = await start();
    onStarted({ name, milliseconds: performance.now() - from });
    return value;
  };
  const emulatorDir = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "key-vault-"));
  const [plane, emulator] = await Promise.all([startPlane(version, timed), timed("Key Vault emulator", () => spawnEmulator(emulatorDir))]);
  // No proxy exception for the API server: the processes must themselves keep this traffic out of the proxy.
  const environment = { HTTPS_PROXY: emulator.proxyUrl, NODE_EXTRA_CA_CERTS: emulator.caFile };
  const product = await timed("shipped manifests applied", () => installProduct(plane, { environment }));
  const [webhook, sync] = await timed("webhook and sync under their own ServiceAccounts", () =>
    Promise.all([product.start("webhook"), product.start("sync", { args: ["--rotation-poll-interval=10s"] })]),
  );
  return {
    plane,
    emulator,
    emulatorDir,
    product,
    webhook,
    sync,
    names: await createVault(emulator),
    kubectl: (args, input) => plane.kubectl(args, input),
    vaultCli: (args) => runVaultCli(emulatorDir, args),
    stop: async () => {
      await product.stop();
      await emulator.stop();
      await plane.stop();
    },
  };
}

/**
 * Starts the control plane. kube-controller-manager must not be newer than its API server. Therefore an older API server runs without it,
 * and the demo creates the ServiceAccount that it needs.
 */
async function startPlane(
  version: ApiServerVersion,
  timed: <T>(name: string, start: () => Promise<T>) => Promise<T>,
): Promise<ControlPlane> {
  const isCurrent = version === API_SERVER_VERSIONS[0];
  const parts = isCurrent ? "kube-apiserver, etcd, kube-controller-manager" : `kube-apiserver ${version}, etcd`;
  const plane = await timed(parts, () => startControlPlane({ version, controllerManager: isCurrent }));
  if (!isCurrent) await plane.kubectl(["create", "serviceaccount", "default", "-n", "default"]);
  return plane;
}

async function createVault(emulator: SpawnedEmulator): Promise<Names> {
  const suffix = randomBytes(3).toString("hex");
  const vault = `kv-demo-${suffix}`;
  const { tenantId } = await emulator.createVault({ name: vault });
  const principal = await emulator.createServicePrincipal({ tenantId });
  await emulator.grant({ vault, appId: principal.appId, permissions: ["get"] });
  return {
    tenant: tenantId,
    vault,
    appId: principal.appId,
    clientSecret: principal.clientSecret,
    documentClass: "akvprovider-demo",
    mirroredClass: `mirrored-${suffix}`,
    mirroredSecret: `app-${suffix}`,
  };
}

function runVaultCli(emulatorDir: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [path.join(root, "tools/key-vault-emulator/main.ts"), ...args],
      {
        env: { ...baseEnvironment(), KEY_VAULT_EMULATOR_DIR: emulatorDir },
      },
      (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr.trim() || error.message))),
    );
    child.stdin?.end();
  });
}

/** Returns a shipped example with the document's values instead of its placeholders. */
export function example(file: string, names: Names): string {
  return readFileSync(path.join(root, "manifests/examples", file), "utf8")
    .replaceAll("<key-vault-name>", names.vault)
    .replaceAll("<tenant-Id>", names.tenant);
}
