// Gets kube-apiserver, etcd, kube-controller-manager and kubectl, in this order: KUBEBUILDER_ASSETS, the cache folder,
// the official releases (short time-out, checksums verified), `go build` of test/control-plane.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { downloadControlPlane, downloadRelease } from "./download.mjs";

const BINARIES = ["kube-apiserver", "etcd", "kubectl", "kube-controller-manager"];
const PACKAGES = { "kube-apiserver": "apiserver", etcd: "etcd", kubectl: "kubectl", "kube-controller-manager": "kcm" };
const MINIMUM_GO = [1, 26];
/** Oldest API server that the tests run. All other binaries of its control plane are those of the current version. */
const OLDER = { version: "1.34", binary: "kube-apiserver" };

export function cacheFolder() {
  if (process.env.KEYVAULT_INJECTOR_CACHE) return path.resolve(process.env.KEYVAULT_INJECTOR_CACHE);
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "keyvault-injector");
}

const complete = (folder) => BINARIES.every((name) => existsSync(path.join(folder, name)));

/** Kubernetes version in go.mod, for example `v1.36.3`. */
export function kubernetesVersion(module) {
  const found = /^\s*k8s\.io\/kubernetes\s+(v\d+\.\d+\.\d+)/m.exec(readFileSync(path.join(module, "go.mod"), "utf8"));
  if (found === null) throw new Error(`no k8s.io/kubernetes version in ${path.join(module, "go.mod")}`);
  return found[1];
}

/** The hash of go.mod and go.sum in the folder's name keeps newer binaries away from an older checkout. */
export function cacheFolderFor(module) {
  const digest = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) digest.update(readFileSync(path.join(module, file)));
  return path.join(cacheFolder(), `control-plane-${kubernetesVersion(module)}-${digest.digest("hex").slice(0, 12)}`);
}

function goVersion() {
  const result = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  const found = /^go(\d+)\.(\d+)/.exec(result.stdout ?? "");
  return found === null ? undefined : [Number(found[1]), Number(found[2])];
}

function isRecentEnough(version) {
  return version !== undefined && (version[0] > MINIMUM_GO[0] || (version[0] === MINIMUM_GO[0] && version[1] >= MINIMUM_GO[1]));
}

function seconds(since) {
  return `${Math.round((Date.now() - since) / 1000)} s`;
}

function buildOne(module, folder, name) {
  const version = kubernetesVersion(module);
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version);
  const stamp = "k8s.io/component-base/version";
  const flags = `-s -w -X ${stamp}.gitVersion=${version} -X ${stamp}.gitMajor=${major} -X ${stamp}.gitMinor=${minor}`;
  const temporary = path.join(folder, `.${name}.${process.pid}`);
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const go = spawn("go", ["build", "-trimpath", "-ldflags", flags, "-o", temporary, `./${PACKAGES[name]}`], {
      cwd: module,
      env: { ...process.env, CGO_ENABLED: "0" },
      stdio: ["ignore", "inherit", "pipe"],
    });
    let errors = "";
    go.stderr.on("data", (chunk) => {
      errors = (errors + chunk).slice(-4000);
    });
    const progress = setInterval(() => process.stderr.write(`bootstrap:   ${name}: ${seconds(started)}\n`), 20_000);
    go.on("error", reject);
    go.on("exit", (code) => {
      clearInterval(progress);
      if (code !== 0) {
        rmSync(temporary, { force: true });
        reject(new Error(`go build of ${name} failed:\n${errors}`));
        return;
      }
      renameSync(temporary, path.join(folder, name));
      process.stderr.write(`bootstrap: ${name} built in ${seconds(started)}\n`);
      resolve();
    });
  });
}

async function build(module, folder, names = BINARIES) {
  const wanted = names.filter((name) => !existsSync(path.join(folder, name)));
  const about = names === BINARIES ? "5 minutes" : "4 minutes";
  process.stderr.write(
    `bootstrap: building ${wanted.join(", ")} ${kubernetesVersion(module)} from its Go modules, once (about ${about} on 2 cores)\n`,
  );
  mkdirSync(folder, { recursive: true });
  for (const name of wanted) await buildOne(module, folder, name);
}

/** Reason why Go cannot build here. Undefined if it can. */
function goRefusal() {
  const version = goVersion();
  if (isRecentEnough(version)) return undefined;
  return version === undefined ? "no Go was found" : `Go ${version.join(".")} is too old`;
}

/** An interrupted build leaves hidden temporary files. After a day no process can still be writing them. */
function removeStale(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith("."))) {
    const file = path.join(folder, name);
    if (Date.now() - statSync(file).mtimeMs > 86_400_000) rmSync(file, { recursive: true, force: true });
  }
}

/**
 * `{kind: "ready", folder}` or `{kind: "missing", why}`, where `why` names what to install. With `onlyCached` it neither downloads nor
 * builds.
 */
export async function controlPlaneAssets(root, { onlyCached }) {
  const given = process.env.KUBEBUILDER_ASSETS;
  if (given) {
    const missing = BINARIES.filter((name) => !existsSync(path.join(given, name)));
    if (missing.length === 0) return { kind: "ready", folder: path.resolve(given) };
    process.stderr.write(`bootstrap: KUBEBUILDER_ASSETS lacks ${missing.join(", ")}; not used\n`);
  }
  const module = path.join(root, "test", "control-plane");
  const folder = cacheFolderFor(module);
  removeStale(folder);
  if (complete(folder)) return { kind: "ready", folder };
  if (onlyCached) return { kind: "missing", why: "the control plane has not been built yet; `npm test` does it" };
  const refused = await downloadControlPlane({ version: kubernetesVersion(module), folder });
  if (complete(folder)) return { kind: "ready", folder };
  process.stderr.write(`bootstrap: prebuilt binaries are not to be had (${refused})\n`);
  const found = goRefusal();
  if (found !== undefined) {
    const wanted = MINIMUM_GO.join(".");
    return {
      kind: "missing",
      why: `needs Go >= ${wanted} to build the control plane (${found}), or internet access for prebuilt binaries. Install Go ${wanted} or newer, or set KUBEBUILDER_ASSETS to a folder with ${BINARIES.join(", ")}, and run the same command again.`,
    };
  }
  await build(module, folder);
  return { kind: "ready", folder };
}

/**
 * Gets the older kube-apiserver for the suites that use it: from the cache, otherwise from the official release, otherwise from a build.
 * Returns `{kind: "ready", file}` or `{kind: "missing", why}`.
 */
export async function olderApiServer(root, { onlyCached }) {
  const module = path.join(root, "test", "control-plane", OLDER.version);
  const folder = cacheFolderFor(module);
  const file = path.join(folder, OLDER.binary);
  removeStale(folder);
  if (existsSync(file)) return { kind: "ready", file };
  if (onlyCached) return { kind: "missing", why: `kube-apiserver ${OLDER.version} is not in the cache yet; \`npm test\` gets it` };
  const refused = await downloadRelease({ version: kubernetesVersion(module), folder, name: OLDER.binary });
  if (refused === undefined) return { kind: "ready", file };
  process.stderr.write(`bootstrap: a prebuilt kube-apiserver ${OLDER.version} is not to be had (${refused})\n`);
  const found = goRefusal();
  if (found !== undefined) {
    const wanted = MINIMUM_GO.join(".");
    return {
      kind: "missing",
      why: `kube-apiserver ${OLDER.version} needs Go >= ${wanted} to be built (${found}), or internet access for the prebuilt one. Install Go ${wanted} or newer and run the same command again.`,
    };
  }
  await build(module, folder, [OLDER.binary]);
  return { kind: "ready", file };
}
