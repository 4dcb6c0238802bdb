/** A release as `npm run release` builds, signs and pushes it, and a second release from the same sources, for a comparison of the two. */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { makeRelease, type Release } from "../../../tools/release/make-release.ts";
import { blobFile, type Descriptor } from "../../../tools/release/oci-layout.ts";
import { REPOSITORY, VERSION } from "../../../tools/repository-files.ts";
import { startProcess } from "../../support/processes/process.ts";
import { type RunningRegistry, startRegistry } from "../../support/processes/registry.ts";

export interface PushedRelease {
  readonly registry: RunningRegistry;
  /** `<host>/<prefix>` */
  readonly place: string;
  /** Folder of the pushed release. */
  readonly folder: string;
  readonly printed: string;
  /** Key with which the release was signed, and another key. */
  readonly publicKey: string;
  readonly otherPublicKey: string;
  /** Folder for files of the tests. `stop` removes it. */
  readonly scratch: string;
  stop(): Promise<void>;
}

export interface MadeRelease extends PushedRelease {
  /** The same release, built again in another place. */
  readonly again: Release;
}

export async function madeRelease(): Promise<MadeRelease> {
  const pushed = await pushedRelease();
  try {
    return { ...pushed, again: await makeRelease({ folder: path.join(pushed.scratch, "again"), registry: pushed.place }) };
  } catch (error) {
    await pushed.stop();
    throw error;
  }
}

export async function pushedRelease(): Promise<PushedRelease> {
  const scratch = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "release-"));
  const registry = await startRegistry();
  const stop = async (): Promise<void> => {
    await registry.stop();
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    const place = `${registry.host}/team`;
    const [key, publicKey] = keyPair(scratch, "release");
    const [, otherPublicKey] = keyPair(scratch, "other");
    const folder = path.join(scratch, "pushed");
    const printed = await runRelease([VERSION, "--uncommitted", "--output", folder], {
      KEYVAULT_INJECTOR_REGISTRY: place,
      KEYVAULT_INJECTOR_SIGNING_KEY: key,
    });
    return { registry, place, folder, printed, publicKey, otherPublicKey, scratch, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Returns `<registry>/<repository>@<digest>` of the image that the command reports as pushed. */
export function pushedReference({ place, printed }: PushedRelease, repository: string): string {
  const digest = new RegExp(`^pushed ${place}/${repository}:${VERSION}@(sha256:[0-9a-f]{64})$`, "m").exec(printed)?.[1];
  if (digest === undefined) throw new Error(`${repository} was not pushed:\n${printed}`);
  return `${place}/${repository}@${digest}`;
}

/** Runs the command. Resolves with its output. Rejects with its error output. */
async function runRelease(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const main = path.join(REPOSITORY, "tools/release/main.ts");
  const child = spawn(process.execPath, [main, ...args], {
    cwd: REPOSITORY,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  const running = startProcess(child, "release");
  const [printed, complained, code] = await Promise.all([text(child.stdout), text(child.stderr), running.exited]);
  if (code !== 0) throw new Error(`npm run release ended with ${code}: ${complained}`);
  return printed;
}

function keyPair(folder: string, name: string): readonly [string, string] {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [key, publicKey] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.pub`)];
  writeFileSync(key, pair.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(publicKey, pair.publicKey.export({ type: "spki", format: "pem" }));
  return [key, publicKey];
}

/** Returns a manifest or index of a layout. */
export function manifestIn(
  layout: string,
  digest: string,
): {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
} {
  return JSON.parse(readFileSync(blobFile(layout, digest), "utf8"));
}

/** Creates the folder `folder/name`, which must not exist yet. */
export function emptyFolder(folder: string, name: string): string {
  const made = path.join(folder, name);
  mkdirSync(made);
  return made;
}
