import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { startAdminServer } from "./control/admin-server.ts";
import { type StateMethods, stateMethods, type World } from "./control/state-methods.ts";
import { Directory } from "./entra/directory.ts";
import { answerEntra } from "./entra/endpoints.ts";
import { TokenIssuer } from "./entra/token-issuer.ts";
import { issueServingCertificate } from "./network/certificates.ts";
import { certificateNames, type Endpoint } from "./network/clouds.ts";
import { createConnectProxy } from "./network/connect-proxy.ts";
import { createHttpsListener, type Handler } from "./network/https-listener.ts";
import { closeServer, LOOPBACK, listenOnLoopback } from "./network/loopback-server.ts";
import { RequestLog } from "./network/request-log.ts";
import { answerVault } from "./vault/data-plane.ts";
import { type Vault, VaultStore } from "./vault/vault-store.ts";

/** A running emulator, in this process or another. */
export interface Emulator extends StateMethods {
  /** For `HTTPS_PROXY`. */
  readonly proxyUrl: string;
  /** For `NODE_EXTRA_CA_CERTS` (Node) and `SSL_CERT_FILE` (Go): absolute path of the PEM file. */
  readonly caFile: string;
  readonly adminUrl: string;
  stop(): Promise<void>;
}

export interface EmulatorOptions {
  /** Gets `ca.crt` and `emulator.json` (where the admin endpoint is, and its token); made if absent. */
  readonly stateDir: string;
  /** HTTPS listener; 0, the default, is any free port. So for the others. */
  readonly port?: number | undefined;
  readonly proxyPort?: number | undefined;
  readonly adminPort?: number | undefined;
  /** Seconds an access token lives; default 3599, as Entra's. */
  readonly tokenLifetimeSeconds?: number | undefined;
}

const TOKEN_LIFETIME_SECONDS = 3599;

/** The environment a client process needs; loopback stays direct, so that a local API server is not asked of the proxy. */
export function clientEnvironment({ proxyUrl, caFile }: Pick<Emulator, "proxyUrl" | "caFile">): Readonly<Record<string, string>> {
  const direct = "127.0.0.1,localhost,::1";
  return {
    HTTPS_PROXY: proxyUrl,
    https_proxy: proxyUrl,
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_EXTRA_CA_CERTS: caFile,
    SSL_CERT_FILE: caFile,
  };
}

/** Starts an emulator in this process. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const stateDir = resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const [world, certificate] = await Promise.all([createWorld(options), issueServingCertificate(certificateNames())]);
  const caFile = join(stateDir, "ca.crt");
  await writeFile(caFile, certificate.caPem);

  const listener = createHttpsListener({ certificate, handle: handlerOf(world), log: world.log });
  const targetPort = await listenOnLoopback(listener, options.port ?? 0);
  const proxy = createConnectProxy({ targetPort, exists: (endpoint) => exists(world, endpoint), log: world.log });
  const methods = stateMethods(world);
  try {
    const proxyUrl = `http://${LOOPBACK}:${await listenOnLoopback(proxy.server, options.proxyPort ?? 0)}`;
    const admin = await startAdminServer({ methods, port: options.adminPort ?? 0, stateDir, places: { proxyUrl, caFile } });
    const stop = async (): Promise<void> => {
      proxy.closeTunnels();
      proxy.server.closeAllConnections();
      listener.closeAllConnections();
      await Promise.all([closeServer(proxy.server), closeServer(listener), admin.stop()]);
    };
    return { ...methods, proxyUrl, caFile, adminUrl: admin.url, stop };
  } catch (cause) {
    listener.close();
    proxy.server.close();
    throw cause;
  }
}

async function createWorld({ tokenLifetimeSeconds = TOKEN_LIFETIME_SECONDS }: EmulatorOptions): Promise<World> {
  const now = (): number => Math.floor(Date.now() / 1000);
  const directory = new Directory();
  const tokens = await TokenIssuer.create(now, tokenLifetimeSeconds);
  return { directory, tokens, vaults: new VaultStore(directory, now), log: new RequestLog() };
}

function handlerOf(world: World): Handler {
  return (exchange, endpoint) => {
    if (endpoint.kind === "entra") return answerEntra(exchange, endpoint.cloud, world);
    const vault = vaultAt(world, endpoint);
    return vault === undefined ? undefined : answerVault(exchange, vault, world.tokens);
  };
}

function exists(world: World, endpoint: Endpoint): boolean {
  return endpoint.kind === "entra" || vaultAt(world, endpoint) !== undefined;
}

/** A vault answers in its own cloud only. */
function vaultAt(world: World, endpoint: Extract<Endpoint, { kind: "vault" }>): Vault | undefined {
  const vault = world.vaults.find(endpoint.vaultName);
  return vault?.cloud === endpoint.cloud.name ? vault : undefined;
}
