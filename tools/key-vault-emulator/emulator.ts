import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { startAdminServer } from "./control/admin-server.ts";
import { type StateMethods, stateMethods } from "./control/state-methods.ts";
import { issueServingCertificate } from "./network/certificates.ts";
import { certificateNames } from "./network/clouds.ts";
import { createConnectProxy } from "./network/connect-proxy.ts";
import { createHttpListener, createHttpsListener } from "./network/listeners.ts";
import { closeServer, LOOPBACK, listenOnLoopback } from "./network/loopback-server.ts";
import { cloudServing, createWorld, exists, imdsServing } from "./world.ts";

/** A running emulator, in this process or another. */
export interface Emulator extends StateMethods {
  /** Value for `HTTPS_PROXY`. */
  readonly proxyUrl: string;
  /** Value for `NODE_EXTRA_CA_CERTS` (Node) and `SSL_CERT_FILE` (Go): absolute path of the PEM file. */
  readonly caFile: string;
  readonly adminUrl: string;
  /** Value for `AZURE_POD_IDENTITY_AUTHORITY_HOST`: the machine's metadata service, from which managed identities get their tokens. */
  readonly imdsUrl: string;
  stop(): Promise<void>;
}

export interface EmulatorOptions {
  /**
   * Folder for `ca.crt`, `serving.crt`, `serving.key` and `emulator.json` (the admin endpoint's address and token). Created if it does not
   * exist.
   */
  readonly stateDir: string;
  /** HTTPS port. 0, the default, means any free port, as for the other ports. */
  readonly port?: number | undefined;
  readonly proxyPort?: number | undefined;
  readonly adminPort?: number | undefined;
  readonly imdsPort?: number | undefined;
  /** Lifetime of access tokens in seconds. Default 3599, as in Entra. */
  readonly tokenLifetimeSeconds?: number | undefined;
}

const TOKEN_LIFETIME_SECONDS = 3599;

/**
 * Environment variables for a client process. Loopback addresses bypass the proxy, so that requests to a local API server do not go through
 * it.
 */
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

/** Further variables for a client that signs in as a managed identity. */
export function managedIdentityEnvironment({ imdsUrl }: Pick<Emulator, "imdsUrl">): Readonly<Record<string, string>> {
  return { AZURE_POD_IDENTITY_AUTHORITY_HOST: imdsUrl };
}

/** Starts an emulator in this process. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const stateDir = resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const [world, certificate] = await Promise.all([
    createWorld(options.tokenLifetimeSeconds ?? TOKEN_LIFETIME_SECONDS),
    issueServingCertificate(certificateNames()),
  ]);
  const caFile = join(stateDir, "ca.crt");
  await writeFile(caFile, certificate.caPem);
  // For the emulator of storage accounts, which serves names in the same certificate.
  const servingFiles = { certificate: join(stateDir, "serving.crt"), key: join(stateDir, "serving.key") };
  await writeFile(servingFiles.certificate, certificate.certificatePem);
  await writeFile(servingFiles.key, certificate.keyPem, { mode: 0o600 });
  world.accounts.caPem = certificate.caPem;

  const listener = createHttpsListener(certificate, cloudServing(world));
  const imds = createHttpListener(imdsServing(world));
  const targetPort = await listenOnLoopback(listener, options.port ?? 0);
  const proxy = createConnectProxy({ targetPort, exists: (endpoint) => exists(world, endpoint), log: world.log });
  const servers = [listener, imds, proxy.server];
  const methods = stateMethods(world);
  try {
    const places = {
      proxyUrl: `http://${LOOPBACK}:${await listenOnLoopback(proxy.server, options.proxyPort ?? 0)}`,
      imdsUrl: `http://${LOOPBACK}:${await listenOnLoopback(imds, options.imdsPort ?? 0)}`,
      caFile,
    };
    const admin = await startAdminServer({ methods, port: options.adminPort ?? 0, stateDir, places });
    const stop = async (): Promise<void> => {
      world.events.stop();
      proxy.closeTunnels();
      for (const server of servers) server.closeAllConnections();
      await Promise.all([...servers.map(closeServer), admin.stop()]);
    };
    return { ...methods, ...places, adminUrl: admin.url, stop };
  } catch (cause) {
    for (const server of servers) server.close();
    throw cause;
  }
}
