import { clientEnvironment } from "../../../tools/key-vault-emulator/emulator.ts";
import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { createCredentials, send } from "../../support/worker/sync-world.ts";
import type { Launched } from "../launch.ts";
import { type AuditMeter, meterWrites } from "./audit-meter.ts";
import type { StartOptions, SyncContestant } from "./contestant.ts";
import { type SecretWatch, watchSecrets } from "./secret-watch.ts";
import type { VaultMeter } from "./vault-meter.ts";
import { type BenchObject, type BenchVault, type BenchVaults, inParallel } from "./vaults.ts";

/** A new control plane with the objects that request one Secret for each vault object from one contestant, which has not started yet. */
export interface Stage {
  readonly contestant: SyncContestant;
  readonly plane: ControlPlane;
  readonly vaults: BenchVaults;
  readonly objects: readonly BenchObject[];
  readonly meter: VaultMeter;
  readonly audit: AuditMeter;
  readonly secrets: SecretWatch;
  readonly intervalSeconds: number;
  /** Starts the contestant. The default is the stage's interval. */
  start(options?: Partial<Pick<StartOptions, "intervalSeconds" | "flags">>): Promise<Launched>;
  /** Stops everything that the stage started. */
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly contestant: SyncContestant;
  readonly vaults: BenchVaults;
  readonly objects: readonly BenchObject[];
  readonly meter: VaultMeter;
  readonly intervalSeconds: number;
  /** Called with the control plane's folder before the folder is removed. */
  readonly onEnd: (folder: string) => void;
}

export async function setStage(options: StageOptions): Promise<Stage> {
  const { contestant, vaults, objects, intervalSeconds } = options;
  const plane = await startControlPlane({ controllerManager: false });
  const running: Launched[] = [];
  let secrets: SecretWatch | undefined;
  const stop = async (): Promise<void> => {
    for (const launched of running) await launched.stop();
    await secrets?.stop();
    options.onEnd(plane.directory);
    await plane.stop();
  };
  try {
    await contestant.install(plane);
    for (const vault of vaults.vaults) await createNamespace(plane, vault);
    const wishes = contestant.wishes(objects, vaults.vaults, intervalSeconds);
    await inParallel(wishes, ({ path, body }) => send(plane, { method: "POST", path, body }));
    secrets = await watchSecrets(plane);
    const start: Stage["start"] = async (given) => {
      const launched = await contestant.start(plane, { environment: clientEnvironment(vaults.emulator), intervalSeconds, ...given });
      running.push(launched);
      return launched;
    };
    return { ...options, plane, audit: meterWrites(plane, contestant.user), secrets, start, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createNamespace(plane: ControlPlane, { name, appId, clientSecret }: BenchVault): Promise<void> {
  await send(plane, { method: "POST", path: "/api/v1/namespaces", body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
  await createCredentials(plane, name, { clientid: appId, clientsecret: clientSecret });
}
