import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { clientEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { startVaultProxy, type VaultProxy } from "../faults/vault-proxy.ts";
import { type ControlPlane, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { createCredentials, find, LEASE, send } from "../support/worker/sync-world.ts";
import { INTERVAL_MS, type VictimGround } from "./ground.ts";
import { type HostileVault, startHostileVault } from "./hostile-vault.ts";
import { HEAPS, limitMemory } from "./memory-limit.ts";
import { type SilentServer, startSilentServer } from "./silent-server.ts";
import { Victim } from "./victim.ts";

/** Version under attack: this checkout, or a previous version. */
export interface Attacked {
  readonly main?: string;
  readonly manifests?: string;
}

/** A namespace with a hostile owner, who has a vault and an application. */
export interface Tenant {
  readonly namespace: string;
  readonly vault: string;
  readonly tenantId: string;
}

/** The shipped install with two replicas of the worker, one webhook, a victim, and room for tenants. */
export interface HostileWorld extends VictimGround {
  readonly proxy: VaultProxy;
  readonly hostileVault: HostileVault;
  readonly silent: SilentServer;
  readonly victim: Victim;
  readonly webhook: ProductProcess;
  tenant(): Promise<Tenant>;
  stop(): Promise<void>;
}

export async function startHostileWorld({ main, manifests }: Attacked = {}): Promise<HostileWorld> {
  const plane = await startControlPlane({ controllerManager: false });
  const emulator = await spawnEmulator(path.join(plane.directory, "emulator"));
  const [proxy, hostileVault, silent] = await Promise.all([startVaultProxy(emulator.proxyUrl), startHostileVault(), startSilentServer()]);
  const caFile = path.join(plane.directory, "trusted.crt");
  writeFileSync(caFile, readFileSync(emulator.caFile, "utf8") + hostileVault.caPem);
  const environment = {
    ...clientEnvironment({ proxyUrl: proxy.url, caFile }),
    // Metadata service of a machine outside Azure: it never answers.
    AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://127.0.0.1:${silent.port}`,
  };
  const product = await installProduct(plane, {
    environment,
    ...(main === undefined ? {} : { main }),
    ...(manifests === undefined ? {} : { manifests }),
  });
  const processes = await startProcesses(product);
  const ended = watchEnds(processes);
  const ground = { plane, emulator, ended };
  await leads(plane);
  const victim = await Victim.settle(ground);
  await eventually(() => victim.isServed, { within: 60_000, what: "the victim's first Secrets" });
  let serial = 0;
  return {
    ...ground,
    proxy,
    hostileVault,
    silent,
    victim,
    webhook: processes.webhook,
    tenant: async () => {
      serial += 1;
      return settleTenant(ground, `tenant-${serial}`);
    },
    stop: async () => {
      await product.stop();
      await victim.stop();
      await Promise.all([proxy.close(), hostileVault.stop(), silent.stop()]);
      await emulator.stop();
      await plane.stop();
    },
  };
}

interface Processes {
  readonly webhook: ProductProcess;
  readonly sync: readonly ProductProcess[];
}

async function startProcesses(product: Product): Promise<Processes> {
  const args = [`--rotation-poll-interval=${INTERVAL_MS / 1_000}s`];
  const sync = { args, within: 60_000, hasShippedFlags: true, environment: { NODE_OPTIONS: HEAPS.sync } };
  const first = await product.start("sync", sync);
  const second = await product.start("sync", sync);
  const webhook = await product.start("webhook", {
    within: 60_000,
    hasShippedFlags: true,
    environment: { NODE_OPTIONS: HEAPS.webhook },
  });
  for (const running of [first, second, webhook]) limitMemory(running);
  return { webhook, sync: [first, second] };
}

function watchEnds({ webhook, sync }: Processes): () => readonly string[] {
  let ends: string[] = [];
  for (const running of [webhook, ...sync]) {
    void running.exited.then((code) => ends.push(`a process of the ${running.role} ended with ${code}`));
  }
  return () => {
    const since = ends;
    ends = [];
    return since;
  };
}

async function leads(plane: ControlPlane): Promise<void> {
  interface Lease {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec?: { readonly holderIdentity?: string };
  }
  await eventually(async () => (await find<Lease>(plane, LEASE))?.spec?.holderIdentity !== undefined, { within: 60_000, what: "a leader" });
}

async function settleTenant({ plane, emulator }: Pick<VictimGround, "plane" | "emulator">, namespace: string): Promise<Tenant> {
  const tenantId = randomUUID();
  const vault = `${namespace}-${randomUUID().slice(0, 8)}`;
  await send(plane, {
    method: "POST",
    path: "/api/v1/namespaces",
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  });
  await emulator.createVault({ name: vault, tenantId });
  const { appId, clientSecret } = await emulator.createServicePrincipal({ tenantId });
  await emulator.grant({ vault, appId, permissions: ["get", "list"] });
  await createCredentials(plane, namespace, { clientid: appId, clientsecret: clientSecret });
  return { namespace, vault, tenantId };
}
