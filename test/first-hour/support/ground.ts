/**
 * Prepares the setup of every test: a registry that contains a release and its dependencies, and a vault. Each test then gets a node
 * without images.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type SpawnedEmulator, spawnEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import { VERSION } from "../../../tools/repository-files.ts";
import { builtProgram, nodeBinaries } from "../../e2e/support/binaries.ts";
import { openWalk, prepareVault, type Walk, type WalkValues } from "../../e2e/support/document-walk.ts";
import { bringInEmulator, EMULATOR_PROXY } from "../../e2e/support/install.ts";
import { type RealNode, startRealNode } from "../../e2e/support/node.ts";
import { publicImages } from "../../e2e/support/node-images.ts";
import { type PushedRelease, pushedRelease } from "../../release/support/made-release.ts";
import type { HelmVersion } from "../../support/cluster/helm.ts";
import { fillRegistry } from "./filled-registry.ts";

export interface Ground {
  readonly release: PushedRelease;
  openNode(progress: (line: string) => void): Promise<RealNode>;
  /** Opens a terminal of a user who has a checkout of the release and a class file with the vault's names. */
  openTerminal(node: RealNode, helm: HelmVersion): Promise<Walk>;
  stop(): Promise<void>;
}

/** Path of the emulator's certificate in the provider's image. */
const CA_FILE = "emulator/ca.crt";

export async function prepareGround(): Promise<Ground> {
  const scratch = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "first-hour-"));
  const started: (() => Promise<void> | void)[] = [() => rmSync(scratch, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).toReversed()) await end();
  };
  try {
    const emulator = await spawnEmulator(path.join(scratch, "emulator"));
    started.push(() => emulator.stop());
    const values = await prepareVault(emulator, "first-vault");
    const release = await pushedRelease();
    started.push(() => release.stop());
    const { host } = release.registry;
    const hosts = await fillRegistry(host, publicImages(await nodeBinaries(), providerIn(emulator)), scratch);
    const mirrors = Object.fromEntries([...hosts, host].map((each) => [each, `http://${host}`]));
    return {
      release,
      openNode: async (progress) => {
        const node = await startRealNode({ mirrors, syncPeriod: "1m", progress });
        const port = Number(host.split(":")[1]);
        // The emulator has the same address inside and outside.
        await node.bringIn({ from: port, to: port, address: "127.0.0.1" });
        await bringInEmulator(node, emulator);
        return node;
      },
      openTerminal: (node, helm) => terminal(node, { values, release, helm }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Here the emulator replaces Azure. The test builds the provider's image anyway and sets the emulator's address in it, so no manifest has
 * to change.
 */
function providerIn(emulator: SpawnedEmulator): Parameters<typeof publicImages>[1] {
  return {
    environment: { HTTPS_PROXY: EMULATOR_PROXY, SSL_CERT_FILE: `/${CA_FILE}` },
    files: [{ path: CA_FILE, kind: "file", content: readFileSync(emulator.caFile) }],
  };
}

interface TerminalParts {
  readonly values: WalkValues;
  readonly release: PushedRelease;
  readonly helm: HelmVersion;
}

async function terminal(node: RealNode, { values, release, helm }: TerminalParts): Promise<Walk> {
  const walk = openWalk(node, values);
  for (const folder of ["bin", "release"]) mkdirSync(path.join(walk.folder, folder));
  symlinkSync(await builtProgram(helm), path.join(walk.folder, "bin/helm"));
  symlinkSync(release.folder, path.join(walk.folder, "release", VERSION));
  return walk;
}
