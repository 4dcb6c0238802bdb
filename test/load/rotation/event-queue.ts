import { readFileSync } from "node:fs";
import path from "node:path";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { startAzurite } from "../../support/events/azurite.ts";
import { CREDENTIALS, createCredentials } from "../../support/worker/sync-world.ts";
import type { BenchVaults } from "../sync/vaults.ts";

const ACCOUNT = "benchevents";
const QUEUE = "vault-events";
const NAMESPACE = "keyvault-injector";

/** A queue to which all vaults may send events about new versions. */
export interface EventQueue {
  /** Flag for the worker that reads the queue. */
  readonly flag: string;
  /** Creates the Secret that the flag names. */
  install(plane: ControlPlane): Promise<void>;
  /** From this call on, each new version sends an event to the queue. */
  subscribe(): Promise<void>;
  unsubscribe(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a queue. `stateDir` is the emulator's. */
export async function startEventQueue({ emulator, vaults }: BenchVaults, stateDir: string): Promise<EventQueue> {
  const azurite = await startAzurite({ stateDir, ca: readFileSync(path.join(stateDir, "ca.crt"), "utf8"), account: ACCOUNT });
  try {
    await azurite.create(QUEUE);
    await emulator.addStorageAccount({ account: ACCOUNT, port: azurite.port });
    const tenantId = vaults[0]?.tenantId ?? "";
    const { appId, clientSecret } = await emulator.createServicePrincipal({ tenantId });
    return {
      flag: `--event-queues=${azurite.urlOf(QUEUE)};identity=servicePrincipal;tenantID=${tenantId};secret=${CREDENTIALS}`,
      install: (plane) => createCredentials(plane, NAMESPACE, { clientid: appId, clientsecret: clientSecret }),
      subscribe: async () => {
        for (const { name: vault } of vaults) await emulator.subscribeEvents({ vault, account: ACCOUNT, queue: QUEUE });
      },
      unsubscribe: async () => {
        for (const { name: vault } of vaults) await emulator.unsubscribeEvents({ vault });
      },
      stop: () => azurite.stop(),
    };
  } catch (error) {
    await azurite.stop();
    throw error;
  }
}
