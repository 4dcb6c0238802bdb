import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { clientEnvironment } from "../../../tools/key-vault-emulator/emulator.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { installProduct, type Product, productOn } from "../../support/cluster/product.ts";
import { folderManifests, MANIFESTS } from "../../support/cluster/shipped-manifests.ts";
import { type Azurite, startAzurite } from "../../support/events/azurite.ts";
import { createCredentials } from "../../support/worker/sync-world.ts";
import { startVaultProxy, type VaultProxy } from "../vault-proxy.ts";

const ACCOUNT = "shopevents";
const QUEUE = "vault-events";
export const QUEUE_HOST = `${ACCOUNT}.queue.core.windows.net`;

/** Limit of a vault in any 10 seconds: https://learn.microsoft.com/azure/key-vault/general/service-limits */
const VAULT_BUDGET = { transactions: 4_000, perSeconds: 10 };

/** A real API server with the shipped install, a vault, a storage account, and the proxy to both. */
export interface EventWorld {
  readonly plane: ControlPlane;
  readonly emulator: SpawnedEmulator;
  readonly azurite: Azurite;
  readonly vaultProxy: VaultProxy;
  readonly product: Product;
  readonly vault: string;
  readonly tenantId: string;
  readonly principal: { readonly appId: string; readonly clientSecret: string };
  /** Arguments of the worker. Polls are a day apart, so that the worker gets versions only through events. */
  readonly args: readonly string[];
  /** The same install with processes of another program. */
  productOf(main: string): Promise<Product>;
  put(message: string): Promise<void>;
  /** Number of messages in the queue, including hidden ones. */
  waiting(): Promise<number>;
  /** Allows or forbids the worker's access to the queue. */
  readonly allow: (isAllowed: boolean) => Promise<void>;
  stop(): Promise<void>;
}

export async function startEventWorld(): Promise<EventWorld> {
  const plane = await startControlPlane({ controllerManager: false });
  const stateDir = path.join(plane.directory, "emulator");
  const emulator = await spawnEmulator(stateDir);
  const [vaultProxy, azurite] = await Promise.all([
    startVaultProxy(emulator.proxyUrl),
    startAzurite({ stateDir, ca: readFileSync(emulator.caFile, "utf8"), account: ACCOUNT }),
  ]);
  const environment = clientEnvironment({ proxyUrl: vaultProxy.url, caFile: emulator.caFile });
  const product = await installProduct(plane, { environment });
  const vault = `vault-${randomBytes(4).toString("hex")}`;
  const tenantId = randomUUID();
  await emulator.createVault({ name: vault, tenantId });
  await emulator.setBudget({ vault, ...VAULT_BUDGET });
  const principal = await emulator.createServicePrincipal({ tenantId });
  await emulator.grant({ vault, appId: principal.appId, permissions: ["get", "list", "keys/get", "keys/list"] });
  await azurite.create(QUEUE);
  const allow = (isAllowed: boolean): Promise<void> =>
    emulator.addStorageAccount({ account: ACCOUNT, port: azurite.port, ...(isAllowed ? {} : { users: [randomUUID()] }) });
  await allow(true);
  await createCredentials(plane, product.namespace, { clientid: principal.appId, clientsecret: principal.clientSecret });
  const queue = `${azurite.urlOf(QUEUE)};identity=servicePrincipal;tenantID=${tenantId};secret=secrets-store-creds`;
  return {
    plane,
    emulator,
    azurite,
    vaultProxy,
    product,
    vault,
    tenantId,
    principal,
    args: ["--rotation-poll-interval=24h", `--event-queues=${queue}`],
    productOf: async (main) => {
      const shipped = await folderManifests(path.join(MANIFESTS, "overlays", "default"));
      return productOn(plane, { shipped, admissionPort: 0, environment, main });
    },
    put: (message) => azurite.put(QUEUE, message),
    waiting: () => azurite.count(QUEUE),
    allow,
    stop: async () => {
      await product.stop();
      await vaultProxy.close();
      await azurite.stop();
      await emulator.stop();
      await plane.stop();
    },
  };
}
