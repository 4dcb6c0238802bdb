import { clientEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { type ControlPlane, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct } from "../support/cluster/product.ts";
import { createCredentials, send } from "../support/worker/sync-world.ts";
import { Cell, type CellOptions } from "./cell.ts";
import { Replicas } from "./replicas.ts";
import { Revisions } from "./revisions.ts";
import { ServerProcess } from "./server-process.ts";
import { AuditTrail, VaultTrail } from "./trails.ts";
import { startVaultProxy, type VaultProxy } from "./vault-proxy.ts";

export const INTERVAL_MS = 10_000;

/** The shortest interval that the product accepts. All other settings are as shipped. */
export const SYNC_ARGS = [`--rotation-poll-interval=${INTERVAL_MS / 1_000}s`];

/** A real API server with the shipped install, two replicas of the worker, and the vaults. */
export interface FaultWorld {
  readonly plane: ControlPlane;
  readonly apiServer: ServerProcess;
  readonly etcd: ServerProcess;
  readonly emulator: SpawnedEmulator;
  readonly vaultProxy: VaultProxy;
  readonly replicas: Replicas;
  readonly revisions: Revisions;
  readonly audit: AuditTrail;
  readonly requests: VaultTrail;
  /** Creates a namespace with its vault and credentials, without classes. */
  cell(options: Pick<CellOptions, "mayList">): Promise<Cell>;
  stop(): Promise<void>;
}

export async function startFaultWorld(): Promise<FaultWorld> {
  const plane = withOneKubeconfig(await startControlPlane({ controllerManager: false }));
  const emulator = await spawnEmulator(`${plane.directory}/emulator`);
  const vaultProxy = await startVaultProxy(emulator.proxyUrl);
  const environment = clientEnvironment({ proxyUrl: vaultProxy.url, caFile: emulator.caFile });
  const product = await installProduct(plane, { environment });
  const replicas = new Replicas(product);
  const revisions = new Revisions(plane);
  const servers = {
    apiServer: new ServerProcess("kube-apiserver", `--secure-port=${new URL(plane.server).port}`),
    etcd: new ServerProcess("etcd", plane.config.etcdURL ?? ""),
  };
  await replicas.start(2, SYNC_ARGS);
  let serial = 0;
  return {
    plane,
    ...servers,
    emulator,
    vaultProxy,
    replicas,
    revisions,
    audit: new AuditTrail(plane),
    requests: new VaultTrail(emulator),
    cell: async ({ mayList }) => {
      const namespace = `cell-${++serial}`;
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
      await send(plane, { method: "POST", path: "/api/v1/namespaces", body });
      const cell = new Cell(emulator, { namespace, mayList });
      await cell.fill();
      await createCredentials(plane, namespace, cell.credentials);
      return cell;
    },
    stop: async () => {
      await replicas.close();
      await revisions.stop();
      await vaultProxy.close();
      await emulator.stop();
      await Promise.all([servers.apiServer.stop(), servers.etcd.stop()]);
      await plane.stop();
    },
  };
}

/** All replicas share one kubeconfig, because a replica that starts while the API server is unavailable could not get a new one. */
function withOneKubeconfig(plane: ControlPlane): ControlPlane {
  let made: Promise<string> | undefined;
  return { ...plane, kubeconfigFor: (account) => (made ??= plane.kubeconfigFor(account)) };
}
