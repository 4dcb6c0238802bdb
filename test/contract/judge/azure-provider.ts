/** The Azure provider itself in a process, called like the driver calls it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { type Client, credentials, loadPackageDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("./provider.proto", import.meta.url));
const READY_WITHIN_MS = 20_000;
/** The provider's SDK tries a failing vault four times, which takes some ten seconds. */
const CALL_WITHIN_MS = 60_000;
const DIRECTORY_MODE = "420";

export interface MountRequest {
  readonly attributes: Readonly<Record<string, string>>;
  /** JSON text of the Secret that `nodePublishSecretRef` names. `null` without one. */
  readonly secrets: string;
}

export interface MountedFile {
  readonly path: string;
  readonly mode: number;
  readonly contents: Buffer;
}

export type Mounted =
  | { readonly kind: "mounted"; readonly files: readonly MountedFile[]; readonly versions: readonly { id: string; version: string }[] }
  /** Text of the gRPC status. */
  | { readonly kind: "failed"; readonly message: string };

export interface AzureProvider {
  mount(request: MountRequest): Promise<Mounted>;
  stop(): Promise<void>;
}

export interface AzureProviderOptions {
  readonly binary: string;
  readonly socket: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
  /** Folder for relative names of cloud files. */
  readonly folder: string;
}

interface MountResponse {
  readonly object_version: readonly { id: string; version: string }[];
  readonly files: readonly MountedFile[];
}

type Callback = (error: ServiceError | null, response: MountResponse) => void;
type ProviderClient = Client & { Mount(request: object, options: { deadline: number }, callback: Callback): void };

function connect(socket: string): ProviderClient {
  const loaded = loadPackageDefinition(loadSync(PROTO, { keepCase: true, defaults: true, arrays: true, bytes: Buffer }));
  // The names are those in the .proto file in this folder.
  const packages = loaded as unknown as {
    readonly v1alpha1: { readonly CSIDriverProvider: new (...given: unknown[]) => ProviderClient };
  };
  return new packages.v1alpha1.CSIDriverProvider(`unix://${socket}`, credentials.createInsecure(), {
    "grpc.default_authority": "localhost",
    "grpc.max_receive_message_length": -1,
  });
}

function ready(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + READY_WITHIN_MS, (error) => (error ? reject(error) : resolve()));
  });
}

function mount(client: ProviderClient, { attributes, secrets }: MountRequest): Promise<Mounted> {
  const request = { attributes: JSON.stringify(attributes), secrets, permission: DIRECTORY_MODE, target_path: "/mount" };
  return new Promise((resolve) => {
    client.Mount(request, { deadline: Date.now() + CALL_WITHIN_MS }, (error, response) => {
      if (error)
        resolve({ kind: "failed", message: error.code === status.UNAVAILABLE ? `the provider ended: ${error.details}` : error.details });
      else resolve({ kind: "mounted", files: response.files, versions: response.object_version });
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

export async function startAzureProvider({ binary, socket, environment, flags, folder }: AzureProviderOptions): Promise<AzureProvider> {
  const ports = ["--healthz-port=0", "--prometheus-port=0"];
  const child = spawn(binary, [`--endpoint=unix://${socket}`, ...ports, ...flags], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log = `${log}${chunk}`.slice(-4_000);
  });
  const client = connect(socket);
  try {
    await ready(client);
  } catch (cause) {
    await ended(child);
    throw new Error(`the Azure provider does not answer on its socket:\n${log}`, { cause });
  }
  return {
    mount: (request) => mount(client, request),
    stop: async () => {
      client.close();
      await ended(child);
    },
  };
}
