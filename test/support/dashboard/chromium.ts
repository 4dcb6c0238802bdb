/** A real Chromium: Debian's, or another one on the machine. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Browser } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function executable(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
}

/** Reason why no browser is available. Undefined if one is. */
export function chromiumRefusal(): string | undefined {
  if (executable() !== undefined) return undefined;
  return process.env["KEYVAULT_INJECTOR_NO_CHROMIUM"] ?? "no chromium on PATH; install Debian's chromium";
}

const APT = ["update -q", "install -q -y --no-install-recommends chromium fonts-dejavu-core"];

/** Time limit in milliseconds for each step. */
const APT_MS = 300_000;

/**
 * Installs Debian's Chromium if none exists and the process runs as root. Passes the reason for a failure to the tests in the environment.
 */
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

/** As root, Chromium has no sandbox. It only opens our pages. */
export async function startChromium(): Promise<Browser> {
  const executablePath = executable();
  if (executablePath === undefined) throw new Error(chromiumRefusal());
  const args = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];
  // The import takes half a second, which only tests with a browser should pay.
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath, args, timeout: 60_000 });
}
