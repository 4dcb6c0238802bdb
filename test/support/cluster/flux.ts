import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { cacheFolder } from "../../../tools/cache-folder.ts";
import { tarChunks } from "../../../tools/release/tar.ts";
import { builtProgram, programRefusal } from "../../e2e/support/binaries.ts";
import { startProcess } from "../processes/process.ts";
import { eventually } from "../time/eventually.ts";
import type { ControlPlane } from "./control-plane.ts";
import { freePort } from "./product.ts";
import { at, listAt } from "./shipped-manifests.ts";

const NAMESPACE = "flux-system";
/**
 * CRDs of the Kustomizations and of every kind of source, for which the controller waits. The sources' API belongs to another controller.
 */
const DEFINITIONS = [
  {
    module: "github.com/fluxcd/kustomize-controller",
    version: "v1.9.0",
    sum: "h1:WfM+bQUGUGW2qyrrTgh2bIVSZSPmc3JC7234K8NiTWQ=",
    files: ["kustomize.toolkit.fluxcd.io_kustomizations.yaml"],
  },
  {
    module: "github.com/fluxcd/source-controller",
    version: "v1.9.0",
    sum: "h1:5msg2yyjVYDULZos+2ve8MZzcSqTpusiXmrOeBhc9yY=",
    files: ["gitrepositories", "ocirepositories", "buckets", "externalartifacts", "helmrepositories", "helmcharts"].map(
      (kind) => `source.toolkit.fluxcd.io_${kind}.yaml`,
    ),
  },
] as const;

/** Name of Flux's account in the audit log, and of its field manager. */
export const FLUX_USER = `system:serviceaccount:${NAMESPACE}:kustomize-controller`;

/** Content of a Git repository: text by path. */
export type RepositoryContent = ReadonlyMap<string, string>;

/** The real kustomize-controller on a control plane, with a source into which the test publishes. */
export interface Flux {
  /** Publishes the next commit of the repository. Flux sees it immediately. */
  publish(content: RepositoryContent): Promise<void>;
  /** Reconciles a Kustomization now. Resolves with its `Ready` condition after the reconcile, whether it succeeded or not. */
  reconcile(name: string): Promise<FluxCondition>;
  log(): string;
  stop(): Promise<void>;
}

export interface FluxCondition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Reason why Flux is not available here. Undefined if it is. */
export function fluxRefusal(): string | undefined {
  return (
    programRefusal(["kustomize-controller"]) ??
    (DEFINITIONS.flatMap(cachedFiles).every((file) => existsSync(file)) ? undefined : goRefusal())
  );
}

/** Builds the controller. The first build takes minutes, later ones seconds. */
export async function prepareFlux(): Promise<void> {
  await builtProgram("kustomize-controller");
  for (const definitions of DEFINITIONS) fetchDefinitions(definitions);
}

type Definitions = (typeof DEFINITIONS)[number];

function cachedFiles({ module, version, files }: Definitions): readonly string[] {
  return files.map((file) => path.join(cacheFolder(), `${path.basename(module)}-${version}`, file));
}

function goRefusal(): string | undefined {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs Go >= 1.26";
  }
}

/** Copies the CRDs from the module's archive, whose checksum Go compares with its public log, and this file with `sum`. */
function fetchDefinitions(definitions: Definitions): void {
  const wanted = cachedFiles(definitions).filter((file) => !existsSync(file));
  if (wanted.length === 0) return;
  const { module, version, sum } = definitions;
  const printed = execFileSync("go", ["mod", "download", "-json", `${module}@${version}`], { cwd: "/", encoding: "utf8" });
  const { Dir, Sum }: { Dir: string; Sum: string } = JSON.parse(printed);
  if (Sum !== sum) throw new Error(`${module} ${version} has the checksum ${Sum}, not ${sum}`);
  for (const target of wanted) {
    mkdirSync(path.dirname(target), { recursive: true });
    const temporary = `${target}.${process.pid}`;
    copyFileSync(path.join(Dir, "config/crd/bases", path.basename(target)), temporary);
    renameSync(temporary, target);
  }
}

/** The parts of a control plane that Flux needs. */
export type FluxPlane = Pick<ControlPlane, "directory" | "kubectl" | "kubeconfigFor">;

/** Starts the controller in a state as after `flux install`, with this test as the source: the CRDs, and an account with all rights. */
export async function startFlux(plane: FluxPlane): Promise<Flux> {
  await prepareFlux();
  await installFlux(plane);
  const archives = await serveArchives();
  const controller = await startController(plane, "kustomize-controller", [
    "--requeue-dependency=1s",
    "--no-remote-bases=true",
    "--http-retry=1",
    "--interval-jitter-percentage=0",
  ]);
  let commits = 0;
  return {
    publish: async (content) => {
      const archive = archiveOf(content);
      const revision = `main@sha1:${createHash("sha1").update(`${++commits}`).digest("hex")}`;
      const url = archives.serve(archive);
      const digest = `sha256:${createHash("sha256").update(archive).digest("hex")}`;
      const artifact = { path: "archive", url, revision, digest, size: archive.length, lastUpdateTime: new Date().toISOString() };
      const ready = {
        type: "Ready",
        status: "True",
        reason: "Succeeded",
        message: `stored ${revision}`,
        lastTransitionTime: new Date().toISOString(),
      };
      const patch = JSON.stringify({ status: { artifact, conditions: [ready] } });
      await plane.kubectl([
        "patch",
        "gitrepository",
        "keyvault-injector",
        "-n",
        NAMESPACE,
        "--subresource=status",
        "--type=merge",
        "-p",
        patch,
      ]);
    },
    reconcile: (name) => reconcile(plane, name),
    log: () => controller.log(),
    stop: async () => {
      await controller.stop();
      await archives.stop();
    },
  };
}

/** Flux's own source-controller and kustomize-controller, with their default settings. */
export async function startWholeFlux(plane: FluxPlane): Promise<{ log(): string; stop(): Promise<void> }> {
  await prepareFlux();
  await installFlux(plane);
  const storage = `127.0.0.1:${await freePort()}`;
  const sources = await startController(plane, "source-controller", [
    `--storage-path=${mkdtempSync(path.join(plane.directory, "sources-"))}`,
    `--storage-addr=${storage}`,
    `--storage-adv-addr=${storage}`,
  ]);
  const kustomizations = await startController(plane, "kustomize-controller", []);
  return {
    log: () => `${sources.log().slice(-4_000)}\n${kustomizations.log().slice(-4_000)}`,
    stop: async () => {
      await kustomizations.stop();
      await sources.stop();
    },
  };
}

async function installFlux(plane: FluxPlane): Promise<void> {
  for (const file of DEFINITIONS.flatMap(cachedFiles)) await plane.kubectl(["apply", "--server-side", "-f", file]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  await plane.kubectl(["create", "serviceaccount", "kustomize-controller", "-n", NAMESPACE]);
  const subject = `--serviceaccount=${NAMESPACE}:kustomize-controller`;
  await plane.kubectl(["create", "clusterrolebinding", "flux", "--clusterrole=cluster-admin", subject]);
}

async function reconcile(plane: FluxPlane, name: string): Promise<FluxCondition> {
  const asked = `${process.hrtime.bigint()}`;
  const target = ["kustomization", name, "-n", NAMESPACE];
  await plane.kubectl(["annotate", ...target, "--overwrite", `reconcile.fluxcd.io/requestedAt=${asked}`]);
  return eventually(
    async () => {
      const { status }: { status?: unknown } = JSON.parse(await plane.kubectl(["get", ...target, "-o", "json"]));
      const conditions = listAt(status, "conditions");
      const isBusy = conditions.some(
        (each) => at(each, "type") === "Reconciling" && at(each, "status") === "True" && at(each, "reason") === "Progressing",
      );
      const ready = conditions.find((each) => at(each, "type") === "Ready");
      // Flux retries by itself if a dependency is being reconciled at that moment.
      const isWaiting = ready === undefined || at(ready, "status") === "Unknown" || at(ready, "reason") === "DependencyNotReady";
      if (at(status, "lastHandledReconcileAt") !== asked || isBusy || isWaiting) return undefined;
      return ready as FluxCondition; // The controller's own condition.
    },
    { within: 120_000, every: 250, what: `Flux to be done with ${name}` },
  );
}

type Controller = "kustomize-controller" | "source-controller";

async function startController(
  plane: FluxPlane,
  name: Controller,
  flags: readonly string[],
): Promise<{ log(): string; stop(): Promise<unknown> }> {
  const kubeconfig = await plane.kubeconfigFor({ namespace: NAMESPACE, name: "kustomize-controller" });
  const logFile = path.join(plane.directory, `${name}.log`);
  const log = openSync(logFile, "a");
  const args = ["--metrics-addr=127.0.0.1:0", `--health-addr=127.0.0.1:${await freePort()}`, ...flags];
  const child = spawn(await builtProgram(name), args, {
    stdio: ["ignore", log, log],
    env: { PATH: process.env["PATH"] ?? "", HOME: plane.directory, KUBECONFIG: kubeconfig, RUNTIME_NAMESPACE: NAMESPACE },
  });
  const running = startProcess(child, name);
  return { log: () => readFileSync(logFile, "utf8"), stop: () => running.stop() };
}

function archiveOf(content: RepositoryContent): Buffer {
  const entries = [...content].map(([file, text]) => ({ kind: "file" as const, path: file, content: text }));
  return gzipSync(Buffer.concat([...tarChunks(entries)]));
}

interface Archives {
  /** Returns the address of the archive. */
  serve(archive: Buffer): string;
  stop(): Promise<void>;
}

async function serveArchives(): Promise<Archives> {
  const archives: Buffer[] = [];
  const server: Server = createServer((request, response) => {
    const archive = archives[Number(/(\d+)\.tar\.gz$/.exec(request.url ?? "")?.[1] ?? -1)];
    response.writeHead(archive === undefined ? 404 : 200).end(archive);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  return {
    serve: (archive) => `http://127.0.0.1:${port}/${archives.push(archive) - 1}.tar.gz`,
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
