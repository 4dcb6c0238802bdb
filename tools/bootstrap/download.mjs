// Downloads prebuilt control-plane binaries from the official releases: the envtest archive (kube-apiserver, etcd, kubectl) and the
// kube-controller-manager of the Kubernetes release. Nothing is used before its SHA-512 matches the published one.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Address of a mirror for air-gapped sites, with the layout `envtest-<version>/…` and `<version>/bin/…`. */
const MIRROR = process.env.KEYVAULT_INJECTOR_DOWNLOADS;
const ARCHIVES = MIRROR || "https://github.com/kubernetes-sigs/controller-tools/releases/download";
const RELEASES = MIRROR || "https://dl.k8s.io/release";
/** Long enough for a proxy's handshake, and short enough not to delay a user without Internet access. */
const ANSWER_MS = 5_000;
/** The archive is about 70 MB. */
const TRANSFER_MS = 300_000;

async function fetchBytes(url) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
  const response = await fetch(url, { signal: abort.signal, redirect: "follow" });
  clearTimeout(timer);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const whole = setTimeout(() => abort.abort(new Error(`transfer took over ${TRANSFER_MS / 1000} s`)), TRANSFER_MS);
  try {
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(whole);
  }
}

async function fetchVerified(url) {
  const published = (await fetchBytes(`${url}.sha512`)).toString("utf8").trim().split(/\s+/)[0];
  process.stderr.write(`bootstrap: downloading ${url}\n`);
  const bytes = await fetchBytes(url);
  const found = createHash("sha512").update(bytes).digest("hex");
  if (found !== published) throw new Error(`checksum of ${url} is not the published one: refused`);
  return bytes;
}

function unpack(archive, into) {
  const file = path.join(into, "archive.tar.gz");
  writeFileSync(file, archive);
  const result = spawnSync("tar", ["-xzf", file, "-C", into, "--strip-components=2"], { encoding: "utf8" });
  rmSync(file);
  if (result.status !== 0) throw new Error(`tar: ${result.stderr}`);
}

const PLATFORM = process.platform === "win32" ? "windows" : process.platform;
const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

/**
 * Calls `get` to fill a temporary folder, and moves each complete binary into the cache folder by rename. Returns undefined, or the reason
 * for a failure.
 */
async function intoCache(folder, get) {
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(path.join(folder, ".download-"));
  try {
    await get(temporary);
    for (const name of readdirSync(temporary)) {
      chmodSync(path.join(temporary, name), 0o755);
      if (!existsSync(path.join(folder, name))) renameSync(path.join(temporary, name), path.join(folder, name));
    }
    return undefined;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
    return cause ?? (error instanceof Error ? error.message : String(error));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function fetchRelease({ releases, version, name }, temporary) {
  const bytes = await fetchVerified(`${releases}/${version}/bin/${PLATFORM}/${ARCHITECTURE}/${name}`);
  writeFileSync(path.join(temporary, name), bytes);
}

/** Returns undefined if all binaries are in the folder, otherwise the reason why not. */
export function downloadControlPlane({ version, folder, archives = ARCHIVES, releases = RELEASES }) {
  return intoCache(folder, async (temporary) => {
    unpack(await fetchVerified(`${archives}/envtest-${version}/envtest-${version}-${PLATFORM}-${ARCHITECTURE}.tar.gz`), temporary);
    await fetchRelease({ releases, version, name: "kube-controller-manager" }, temporary);
  });
}

/** Downloads one server binary of a Kubernetes release. Returns undefined if it is in the folder, otherwise the reason why not. */
export function downloadRelease({ version, folder, name, releases = RELEASES }) {
  return intoCache(folder, (temporary) => fetchRelease({ releases, version, name }, temporary));
}
