import { readFileSync } from "node:fs";
import path from "node:path";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import type { LiveSettings } from "./settings.ts";
import type { LiveVault } from "./vault.ts";

export interface LiveWorld {
  readonly settings: LiveSettings;
  readonly vault: LiveVault;
  readonly plane: Pick<ControlPlane, "kubectl">;
}

export interface LiveStep {
  readonly title: string;
  run(world: LiveWorld): Promise<void>;
}

const EXAMPLES = path.resolve(import.meta.dirname, "../../manifests/examples");
/** Ample time for a real vault in another region, including a token request. */
const WITHIN = 120_000;

/** Returns a shipped example with this vault and this secret. */
function example(file: string, { settings, vault }: LiveWorld): string {
  return readFileSync(path.join(EXAMPLES, file), "utf8")
    .replaceAll("<key-vault-name>", settings.vault)
    .replaceAll("<tenant-Id>", settings.tenantId)
    .replaceAll("objectName: DemoSecret", `objectName: ${vault.secretName}`)
    .replace(/^( +)(keyvaultName: .*)$/m, `$1$2\n$1cloudName: ${JSON.stringify(settings.cloudName)}`)
    .replace(/^ +cloudName: +#.*\n/m, "");
}

async function mirroredValue({ plane }: LiveWorld): Promise<string> {
  const { data }: { data?: { password?: string } } = JSON.parse(await plane.kubectl(["get", "secret", "demo-secret", "-o", "json"]));
  return Buffer.from(data?.password ?? "", "base64").toString("utf8");
}

/** Waits until the values are equal, and shows neither. */
async function untilMirrored(world: LiveWorld): Promise<void> {
  const expected = await world.vault.currentValue();
  await eventually(async () => (await mirroredValue(world)) === expected, {
    within: WITHIN,
    every: 500,
    what: "the Secret demo-secret with the vault's value",
  });
}

const document: LiveStep = {
  title: "the document's credentials, class and pod are taken",
  run: async (world) => {
    const { clientId, clientSecret } = world.settings;
    const credentials = { clientid: clientId, clientsecret: clientSecret };
    const metadata = { name: "secrets-store-creds", labels: { "secrets-store.csi.k8s.io/used": "true" } };
    // Not with arguments, which are visible in the system's process list.
    const secret = { apiVersion: "v1", kind: "Secret", metadata, stringData: credentials };
    await world.plane.kubectl(["create", "-f", "-"], JSON.stringify(secret));
    await world.plane.kubectl(["apply", "-f", "-"], example("secretproviderclass.yaml", world));
    await world.plane.kubectl(["create", "-f", "-"], example("pod.yaml", world));
  },
};

const vaultSecret: LiveStep = { title: "a secret of its own is set in the vault", run: ({ vault }) => vault.rotate() };

const mirrored: LiveStep = {
  title: "the vault's secret is mirrored",
  run: async (world) => {
    await world.plane.kubectl(["apply", "-f", "-"], example("secretproviderclass-mirrored.yaml", world));
    await untilMirrored(world);
  },
};

const rotated: LiveStep = {
  title: "rotated in the vault, the Secret follows",
  run: async (world) => {
    await world.vault.rotate();
    await untilMirrored(world);
  },
};

export function liveSteps({ mayWrite }: LiveSettings): readonly LiveStep[] {
  return mayWrite ? [vaultSecret, document, mirrored, rotated] : [document, mirrored];
}
