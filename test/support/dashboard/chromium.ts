/** A real Chromium: Debian's, or whichever one the machine has. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Browser } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function executable(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
}

/** Why there is no browser here; undefined where there is one. */
export function chromiumRefusal(): string | undefined {
  if (executable() !== undefined) return undefined;
  return process.env["KEYVAULT_INJECTOR_NO_CHROMIUM"] ?? "no chromium on PATH; install Debian's chromium";
}

const APT = ["update -q", "install -q -y --no-install-recommends chromium fonts-dejavu-core"];

/** Milliseconds of each step. */
const APT_MS = 300_000;

/** Installs Debian's where there is none and we may. Why it could not be had stays in the environment of the tests. */
export function prepareChromium(): void {
  if (executable() !== undefined) return;
  const failed = process.getuid?.() === 0 ? APT.find((args) => !succeeds("apt-get", args.split(" "))) : "install chromium";
  if (failed !== undefined)
    process.env["KEYVAULT_INJECTOR_NO_CHROMIUM"] =
      `no chromium on PATH, and it could not be installed here (apt-get ${failed}); install Debian's chromium`;
}

function succeeds(command: string, args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { env, stdio: ["ignore", "ignore", "inherit"], timeout: APT_MS }).status === 0;
}

/** As root Chromium has no sandbox of its own; it sees pages of ours alone. */
export async function startChromium(): Promise<Browser> {
  const executablePath = executable();
  if (executablePath === undefined) throw new Error(chromiumRefusal());
  const args = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];
  // Half a second that only those pay who need it.
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath, args, timeout: 60_000 });
}
