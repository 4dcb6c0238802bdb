import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type SpawnedEmulator, spawnEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import { type AuditEntry, auditPolicy, auditTail, isProbe } from "../../support/cluster/audit.ts";
import { leaveUsedRights } from "../../support/cluster/used-rights.ts";
import { openWalk, prepareVault, type Walk } from "./document-walk.ts";
import { bringInEmulator, installDefinitions, installInjector, installNodeSide } from "./install.ts";
import { type RealNode, startRealNode } from "./node.ts";
import type { WrittenImage } from "./oci-image.ts";
import { type ProductImageOptions, productImage } from "./product-image.ts";

/** A node with a complete install as shipped, and a vault with the documentation's secret. */
export interface World {
  readonly node: RealNode;
  readonly emulator: SpawnedEmulator;
  /** State folder for the emulator's command line. */
  readonly emulatorDir: string;
  /** Our product's image. */
  readonly image: WrittenImage;
  readonly walk: Walk;
  /** Requests of ServiceAccounts outside kube-system, oldest first. */
  audit(): readonly AuditEntry[];
  stop(): Promise<void>;
}

export const VAULT = "e2e-vault";

export interface WorldOptions {
  /** Default: installs all parts as shipped. */
  readonly install?: (node: RealNode, emulator: SpawnedEmulator) => Promise<void>;
  /** Options of our own image. */
  readonly image?: ProductImageOptions;
}

/** Calls `progress` after each step with a description of it. */
export async function startWorld(progress: (line: string) => void, options: WorldOptions = {}): Promise<World> {
  const { install = installEverything } = options;
  const auditFolder = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "audit-"));
  const auditLog = path.join(auditFolder, "audit.log");
  const requests = auditTail(auditLog);
  const tidyUp = async (): Promise<void> => {
    leaveUsedRights(requests());
    rmSync(auditFolder, { recursive: true });
  };
  const started: { stop(): Promise<void> }[] = [{ stop: tidyUp }];
  const stop = async (): Promise<void> => {
    for (const part of started.splice(0).toReversed()) await part.stop();
  };
  try {
    const node = await startRealNode({ apiServerFlags: auditFlags(auditFolder, auditLog), progress });
    started.push(node);
    const emulatorDir = path.join(node.directory, "emulator");
    const emulator = await spawnEmulator(emulatorDir);
    started.push(emulator);
    const image = await node.addImage(await productImage(options.image));
    progress("our image built and loaded");
    await install(node, emulator);
    progress("installed");
    const walk = openWalk(node, await prepareVault(emulator, VAULT));
    const audit = (): readonly AuditEntry[] => requests().filter((entry) => !isProbe(entry));
    return { node, emulator, emulatorDir, image, walk, audit, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Installs the two halves at the same time, because they do not depend on each other. A reader installs them one after the other. */
async function installEverything(node: RealNode, emulator: SpawnedEmulator): Promise<void> {
  const options = { emulator, proxyUrl: await bringInEmulator(node, emulator) };
  await installDefinitions(node);
  await Promise.all([installNodeSide(node, options), installInjector(node, options)]);
}

function auditFlags(folder: string, log: string): readonly string[] {
  const policy = path.join(folder, "policy.json");
  writeFileSync(policy, JSON.stringify(auditPolicy()));
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, "--audit-log-maxsize=1000"];
}
