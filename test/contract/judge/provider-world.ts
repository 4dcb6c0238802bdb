/** Both sides of the provider's contract with one emulator: the Azure provider in each of its settings, and our process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { clientEnvironment, managedIdentityEnvironment } from "../../../tools/key-vault-emulator/emulator.ts";
import type { CloudName } from "../../../tools/key-vault-emulator/network/clouds.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import type { Permission } from "../../../tools/key-vault-emulator/vault/permissions.ts";
import { builtProgram } from "../../e2e/support/binaries.ts";
import { type AzureProvider, type Mounted, startAzureProvider } from "./azure-provider.ts";
import type { Outcome } from "./listed-rows.ts";
import { type MetadataProxy, startMetadataProxy } from "./metadata-proxy.ts";
import { type OurSide, startOurSide } from "./our-side.ts";

/** Configuration of a provider instance. */
export type Setting = "default" | "unordered chains" | "separate files" | "cloud files" | "to be ended";

const FLAGS: Readonly<Record<Setting, readonly string[]>> = {
  default: [],
  "unordered chains": ["--construct-pem-chain=false"],
  "separate files": ["--write-cert-and-key-in-separate-files=true"],
  // Separate instances: one keeps its cloud file in a variable of its process, and the other does not survive its case.
  "cloud files": [],
  "to be ended": [],
};

export const EVERYTHING: readonly Permission[] = ["get", "list", "keys/get", "keys/list", "certificates/get", "certificates/list"];

/** A vault, and credentials that may read it. */
export interface JudgeVault {
  readonly name: string;
  readonly tenantId: string;
  readonly credentials: Readonly<Record<string, string>>;
}

/** Input of both sides. */
export interface Asked {
  /** The class's parameters as written. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Values of the credentials Secret by key. `null` without a Secret. */
  readonly credentials: Readonly<Record<string, string>> | null;
  readonly setting?: Setting;
  /** JSON text of the ServiceAccount's tokens from the driver. */
  readonly tokens?: string;
  /** Token that our TokenRequest returns. */
  readonly token?: string;
  readonly pod?: Readonly<Record<string, string>>;
}

export interface ProviderWorld {
  readonly emulator: SpawnedEmulator;
  /** Folder of cloud files. */
  readonly folder: string;
  /** Without `tenantId`, the vault is in the cloud's default tenant. */
  aVault(cloud?: CloudName, tenantId?: string): Promise<JudgeVault>;
  ask(asked: Asked): Promise<{ readonly ours: Outcome; readonly theirs: Outcome }>;
  stop(): Promise<void>;
}

/** The provider's server adds it to every failure of a mount. */
const SERVER_PREFIX = "failed to mount objects, error: ";

/** The driver stores files by path and versions by id in maps, so that the last of equal ones counts. */
function outcomeOf(mounted: Mounted): Outcome {
  if (mounted.kind === "failed") {
    const { message } = mounted;
    return { kind: "refused", message: message.startsWith(SERVER_PREFIX) ? message.slice(SERVER_PREFIX.length) : message };
  }
  const parts: Record<string, string> = {};
  for (const { path, mode, contents } of mounted.files) {
    parts[`file:${path}`] = contents.toString("base64");
    parts[`mode:${path}`] = String(mode);
  }
  for (const { id, version } of mounted.versions) parts[`version:${id}`] = version;
  return { kind: "done", parts };
}

const TOKENS = "csi.storage.k8s.io/serviceAccount.tokens";
const POD = { "csi.storage.k8s.io/pod.name": "pod", "csi.storage.k8s.io/pod.namespace": "test" };

interface Parts {
  readonly emulator: SpawnedEmulator;
  readonly folder: string;
  readonly binary: string;
  readonly metadata: MetadataProxy;
}

class World implements ProviderWorld {
  readonly emulator: SpawnedEmulator;
  readonly folder: string;
  readonly #metadata: MetadataProxy;
  readonly #binary: string;
  readonly #providers = new Map<Setting, Promise<AzureProvider>>();
  readonly #ours: OurSide;
  #vaults = 0;

  constructor({ emulator, folder, binary, metadata }: Parts) {
    this.emulator = emulator;
    this.folder = folder;
    this.#metadata = metadata;
    this.#binary = binary;
    this.#ours = startOurSide(this.#environment());
  }

  #environment(): Readonly<Record<string, string>> {
    return { ...clientEnvironment(this.emulator), ...managedIdentityEnvironment(this.emulator) };
  }

  #provider(setting: Setting): Promise<AzureProvider> {
    const running = this.#providers.get(setting);
    if (running !== undefined) return running;
    const socket = join(this.folder, `${this.#providers.size}.sock`);
    // The provider's SDK uses a fixed address of the metadata service.
    const environment = { ...this.#environment(), HTTP_PROXY: this.#metadata.url };
    const started = startAzureProvider({ binary: this.#binary, socket, environment, flags: FLAGS[setting], folder: this.folder });
    this.#providers.set(setting, started);
    return started;
  }

  async aVault(cloud: CloudName = "public", tenant?: string): Promise<JudgeVault> {
    this.#vaults += 1;
    const of = { cloud, ...(tenant === undefined ? {} : { tenantId: tenant }) };
    const { name, tenantId } = await this.emulator.createVault({ name: `judge-${this.#vaults}`, ...of });
    const { appId, clientSecret } = await this.emulator.createServicePrincipal(of);
    await this.emulator.grant({ vault: name, appId, permissions: [...EVERYTHING] });
    return { name, tenantId, credentials: { clientid: appId, clientsecret: clientSecret } };
  }

  async ask({
    parameters,
    credentials,
    setting = "default",
    tokens,
    token = "",
    pod = POD,
  }: Asked): Promise<{ readonly ours: Outcome; readonly theirs: Outcome }> {
    const provider = await this.#provider(setting);
    const encoded = Object.entries(credentials ?? {}).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
    const [mounted, ours] = await Promise.all([
      provider.mount({
        attributes: { ...parameters, ...pod, ...(tokens === undefined ? {} : { [TOKENS]: tokens }) },
        secrets: JSON.stringify(credentials),
      }),
      this.#ours.ask({
        parameters,
        credentials: credentials === null ? null : Object.fromEntries(encoded),
        constructPemChain: setting !== "unordered chains",
        writeCertAndKeyInSeparateFiles: setting === "separate files",
        cloudName: "AzurePublicCloud",
        cloudFiles: this.folder,
        token,
      }),
    ]);
    return { ours, theirs: outcomeOf(mounted) };
  }

  async stop(): Promise<void> {
    await this.#ours.stop();
    for (const provider of this.#providers.values()) await (await provider).stop();
    await this.#metadata.stop();
    await this.emulator.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function startProviderWorld(): Promise<ProviderWorld> {
  const binary = await builtProgram("secrets-store-csi-driver-provider-azure");
  const folder = await mkdtemp(join(tmpdir(), "judge-"));
  const emulator = await spawnEmulator(folder);
  return new World({ emulator, folder, binary, metadata: await startMetadataProxy(emulator.imdsUrl) });
}
