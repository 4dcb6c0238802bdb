import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../../tools/cache-folder.ts";
import { digestOf } from "./cache.ts";

const E2E = path.resolve(import.meta.dirname, "..");
const MODULES = path.join(E2E, "go");
const CONTROL_PLANE = path.resolve(E2E, "..", "control-plane");

/** A program and its sources. */
interface Program {
  readonly module: string;
  readonly package: string;
  /** Linker variables for the version. Without them, upstream's programs refuse to start or report a wrong version. */
  readonly stamps?: Readonly<Record<string, string>>;
  /** Other modules of this repository that the program needs. */
  readonly sources?: readonly string[];
}

const KUBERNETES = kubernetesStamps();
const DRIVER = "sigs.k8s.io/secrets-store-csi-driver";
const PROVIDER = "github.com/Azure/secrets-store-csi-driver-provider-azure";
const PROMETHEUS = path.resolve(E2E, "..", "contract", "go", "prometheus");

const PROGRAMS = {
  kubelet: { module: CONTROL_PLANE, package: "./kubelet", stamps: KUBERNETES },
  "kube-scheduler": { module: CONTROL_PLANE, package: "./sched", stamps: KUBERNETES },
  "kube-proxy": { module: CONTROL_PLANE, package: "./kubeproxy", stamps: KUBERNETES },
  pause: { module: path.join(MODULES, "pause"), package: "." },
  "node-driver-registrar": { module: path.join(MODULES, "registrar"), package: "." },
  livenessprobe: { module: path.join(MODULES, "registrar"), package: "./livenessprobe" },
  "secrets-store-csi": {
    module: path.join(MODULES, "driver"),
    package: `${DRIVER}/cmd/secrets-store-csi-driver`,
    stamps: { [`${DRIVER}/pkg/version.BuildVersion`]: versionIn(path.join(MODULES, "driver"), DRIVER) },
    sources: [path.join(MODULES, "mlog")],
  },
  "secrets-store-csi-driver-provider-azure": {
    module: path.join(MODULES, "azure-provider"),
    package: `${PROVIDER}/cmd`,
    stamps: { [`${PROVIDER}/pkg/version.BuildVersion`]: versionIn(path.join(MODULES, "azure-provider"), PROVIDER) },
  },
} as const satisfies Readonly<Record<string, Program>>;

/** Programs that no node starts: programs that check our results, older versions, and competitors in the benchmarks. */
const JUDGES = {
  "azure-workload-identity": {
    module: path.resolve(E2E, "..", "load", "go", "azure-workload-identity"),
    package: "github.com/Azure/azure-workload-identity/cmd/webhook",
    sources: [path.resolve(E2E, "..", "load", "go", "mlog")],
  },
  "external-secrets": {
    module: path.resolve(E2E, "..", "load", "go", "external-secrets"),
    package: "github.com/external-secrets/external-secrets",
  },
  "secrets-store-csi-1.5": {
    module: path.join(MODULES, "driver-1.5"),
    package: `${DRIVER}/cmd/secrets-store-csi-driver`,
    stamps: { [`${DRIVER}/pkg/version.BuildVersion`]: versionIn(path.join(MODULES, "driver-1.5"), DRIVER) },
    sources: [path.join(MODULES, "mlog")],
  },
  promtool: { module: PROMETHEUS, package: "github.com/prometheus/prometheus/cmd/promtool" },
  prometheus: { module: PROMETHEUS, package: "github.com/prometheus/prometheus/cmd/prometheus" },
  "kustomize-controller": {
    module: path.join(MODULES, "flux"),
    package: "github.com/fluxcd/kustomize-controller",
  },
  "source-controller": {
    module: path.join(MODULES, "flux-source"),
    package: "github.com/fluxcd/source-controller",
  },
  "argo-lua": { module: path.resolve(E2E, "..", "contract", "go", "argo-lua"), package: "." },
  "manifest-judge": { module: path.resolve(E2E, "..", "contract", "go", "manifests"), package: "." },
  "objects-judge": { module: path.resolve(E2E, "..", "contract", "go", "objects"), package: "." },
  "secret-data-judge": { module: path.resolve(E2E, "..", "contract", "go", "secretutil"), package: "." },
  registry: { module: path.resolve(E2E, "..", "contract", "go", "registry"), package: "." },
  cosign: { module: path.resolve(E2E, "..", "release", "go", "cosign"), package: "github.com/sigstore/cosign/v3/cmd/cosign" },
  "helm-3": helmProgram("v3"),
  "helm-4": helmProgram("v4"),
} as const satisfies Readonly<Record<string, Program>>;

/** Programs in the folder KUBEBUILDER_ASSETS, which the control plane's own bootstrap provides. */
const PROVIDED = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] as const;

export type ProgramName = keyof typeof PROGRAMS;
export type BuiltProgram = ProgramName | keyof typeof JUDGES;
export type NodeBinary = ProgramName | (typeof PROVIDED)[number];
/** Absolute path of each program. */
export type NodeBinaries = Readonly<Record<NodeBinary, string>>;

/** Reason why the programs are not available here, with the remedy. Undefined if they are. */
export function binariesRefusal(): string | undefined {
  const assets = process.env["KUBEBUILDER_ASSETS"] ?? "";
  const absent = PROVIDED.filter((name) => !existsSync(path.join(assets, name)));
  if (assets === "" || absent.length > 0) {
    return `KUBEBUILDER_ASSETS must name a folder with ${PROVIDED.join(", ")}; the npm scripts get them and set it`;
  }
  const unbuilt = programNames().filter((name) => !existsSync(programPath(name)));
  if (unbuilt.length === 0 || hasGo()) return undefined;
  return `${unbuilt.join(", ")} must be built once: install Go 1.26 or newer`;
}

/** Builds the programs that the cache lacks, one after the other, and reports that on stderr. */
export async function nodeBinaries(): Promise<NodeBinaries> {
  const refusal = binariesRefusal();
  if (refusal !== undefined) throw new Error(refusal);
  for (const name of programNames()) await build(name);
  const assets = process.env["KUBEBUILDER_ASSETS"] ?? "";
  const entries = [...programNames().map((name) => [name, programPath(name)]), ...PROVIDED.map((name) => [name, path.join(assets, name)])];
  return Object.fromEntries(entries) as NodeBinaries; // Both lists are the type's own.
}

/** Reason why some of the programs are not available here. Undefined if they are in the cache or can be built. */
export function programRefusal(names: readonly BuiltProgram[]): string | undefined {
  return names.every((name) => existsSync(programPath(name))) || hasGo() ? undefined : "needs Go >= 1.26";
}

/** Absolute path of one program. Builds it if the cache lacks it. */
export async function builtProgram(name: BuiltProgram): Promise<string> {
  await build(name);
  return programPath(name);
}

function programNames(): ProgramName[] {
  return Object.keys(PROGRAMS) as ProgramName[]; // The keys of a constant object.
}

function programOf(name: BuiltProgram): Program {
  const programs: Readonly<Record<BuiltProgram, Program>> = { ...PROGRAMS, ...JUDGES };
  return programs[name];
}

/** The folder's name contains a hash of all sources, so that an older checkout never gets a newer program. */
function programPath(name: BuiltProgram): string {
  const program = programOf(name);
  const files = [program.module, ...(program.sources ?? [])].flatMap(moduleFiles);
  return path.join(cacheFolder(), `${path.basename(program.module)}-${digestOf(files)}`, name);
}

function moduleFiles(module: string): string[] {
  return readdirSync(module, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".go") || file === "go.mod" || file === "go.sum")
    .map((file) => path.join(module, file));
}

/** Concurrent tests that need the same program share one build. */
const underWay = new Map<BuiltProgram, Promise<void>>();

async function build(name: BuiltProgram): Promise<void> {
  if (existsSync(programPath(name))) return;
  const building = underWay.get(name) ?? buildAnew(name);
  underWay.set(name, building);
  try {
    await building;
  } finally {
    underWay.delete(name);
  }
}

async function buildAnew(name: BuiltProgram): Promise<void> {
  const target = programPath(name);
  const program = programOf(name);
  mkdirSync(path.dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  const stamps = Object.entries(program.stamps ?? {}).map(([variable, value]) => `-X ${variable}=${value}`);
  const started = Date.now();
  process.stderr.write(`building ${name} from its Go module\n`);
  try {
    await go(["build", "-trimpath", "-ldflags", ["-s", "-w", ...stamps].join(" "), "-o", temporary, program.package], program.module);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  renameSync(temporary, target);
  process.stderr.write(`built ${name} in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

function go(args: readonly string[], module: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // A build takes minutes, and yields the CPU to processes for which a user waits.
    const child = spawn("nice", ["go", ...args], {
      cwd: module,
      env: { ...process.env, CGO_ENABLED: "0" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors = `${errors}${chunk}`.slice(-4_000);
    });
    const progress = setInterval(() => process.stderr.write("  still building\n"), 20_000);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearInterval(progress);
      if (code === 0) resolve();
      else reject(new Error(`go ${args.join(" ")} in ${module} failed:\n${errors}`));
    });
  });
}

function hasGo(): boolean {
  try {
    const [, major = "0", minor = "0"] = /^go(\d+)\.(\d+)/.exec(execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" })) ?? [];
    return Number(major) > 1 || Number(minor) >= 26;
  } catch {
    return false;
  }
}

function helmProgram(major: "v3" | "v4"): Program {
  const module = path.resolve(E2E, "..", "contract", "go", `helm-${major.slice(1)}`);
  const dependency = `helm.sh/helm/${major}`;
  const stamps = { [`${dependency}/internal/version.version`]: versionIn(module, dependency) };
  return { module, package: `${dependency}/cmd/helm`, stamps };
}

function versionIn(module: string, dependency: string): string {
  const text = readFileSync(path.join(module, "go.mod"), "utf8");
  const line = text.split("\n").find((candidate) => candidate.trim().startsWith(`${dependency} v`));
  const version = line?.trim().split(/\s+/)[1];
  if (version === undefined) throw new Error(`${module}/go.mod requires no ${dependency}`);
  return version;
}

function kubernetesStamps(): Readonly<Record<string, string>> {
  const version = versionIn(CONTROL_PLANE, "k8s.io/kubernetes");
  const [major = "", minor = ""] = version.slice(1).split(".");
  const variables = "k8s.io/component-base/version";
  return { [`${variables}.gitVersion`]: version, [`${variables}.gitMajor`]: major, [`${variables}.gitMinor`]: minor };
}
