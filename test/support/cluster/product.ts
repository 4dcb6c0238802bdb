import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { baseEnvironment } from "../processes/base-environment.ts";
import { type RunningProcess, startProcess } from "../processes/process.ts";
import { program } from "../processes/program.ts";
import { eventually } from "../time/eventually.ts";
import type { ControlPlane } from "./control-plane.ts";
import { onOneMachine, shippedArguments, shippedNodeFlags } from "./one-machine.ts";
import { folderManifests, MANIFESTS, type Manifest } from "./shipped-manifests.ts";

const NAMESPACE = "keyvault-injector";

export type Role = "webhook" | "sync";

/** One of our processes, with its own ServiceAccount, the shipped RBAC and the shipped arguments. */
export interface ProductProcess {
  readonly role: Role;
  readonly healthUrl: string;
  readonly admissionPort: number;
  readonly pid: number;
  /** Resolves with the exit code, or 128 if a signal ended the process. */
  readonly exited: Promise<number>;
  /** Returns the whole log so far. */
  log(): string;
  isReady(): Promise<boolean>;
  metrics(): Promise<string>;
  /** Sends SIGTERM, then SIGKILL after the grace (milliseconds, default 10,000). */
  stop(grace?: number): Promise<number>;
  /** Ends the process without a chance to clean up. */
  kill(): Promise<number>;
  /** Signal that ended the process. Undefined while it runs, or if it ended by itself. */
  endedBy(): NodeJS.Signals | undefined;
}

export interface Product {
  readonly plane: ControlPlane;
  readonly namespace: string;
  start(role: Role, options?: StartOptions): Promise<ProductProcess>;
  stop(): Promise<void>;
  /** Log files of every process that the test started, for scans. */
  logs(): readonly string[];
}

export interface StartOptions {
  /** Further arguments, or arguments that override the shipped ones. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Time limit in milliseconds for readiness. Default 30,000. */
  readonly within?: number;
  /** Whether Node gets the flags of the shipped container, for tests that measure memory. Default false. */
  readonly hasShippedFlags?: boolean;
}

export interface InstallOptions {
  /** Environment of the processes, with the vault's address. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Overlay below `manifests/overlays`. Default `default`. */
  readonly overlay?: string;
  /** Folder of the manifests. Default: that of this checkout. */
  readonly manifests?: string;
  /** The program. Default: this checkout's sources. */
  readonly main?: string;
  /** Applies the manifests, and resolves when they are applied. Default: with kubectl. */
  readonly apply?: (plane: ControlPlane, admissionPort: number) => Promise<void>;
}

/** Applies the shipped manifests like a user: the CRDs first, then all other objects. */
export async function installProduct(plane: ControlPlane, options: InstallOptions = {}): Promise<Product> {
  const admissionPort = await freePort();
  const { overlay = "default", manifests = MANIFESTS } = options;
  const shipped = await folderManifests(path.join(manifests, "overlays", overlay));
  const byKubectl = (): Promise<void> => applyAll(plane, manifests, onOneMachine(shipped, admissionPort));
  await (options.apply ?? byKubectl)(plane, admissionPort);
  return productOn(plane, { ...options, shipped, admissionPort });
}

export interface InstalledProduct {
  /** The installed manifests, which contain the arguments of the processes. */
  readonly shipped: readonly Manifest[];
  readonly admissionPort: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** The program. Default: this checkout's sources. */
  readonly main?: string;
}

/** Starts processes for an existing install. */
export function productOn(plane: ControlPlane, options: InstalledProduct): Product {
  const { shipped, admissionPort } = options;
  const processes: ProductProcess[] = [];
  const logs: string[] = [];
  return {
    plane,
    namespace: NAMESPACE,
    start: async (role, start = {}) => {
      const environment = { ...options.environment, ...start.environment };
      const started = await startRole(plane, {
        role,
        main: options.main ?? program(),
        shipped,
        admissionPort,
        environment,
        args: start.args ?? [],
        within: start.within ?? 30_000,
        hasShippedFlags: start.hasShippedFlags ?? false,
        logs,
      });
      processes.push(started);
      return started;
    },
    stop: async () => {
      await Promise.all(processes.map((running) => running.stop()));
    },
    logs: () => logs,
  };
}

async function applyAll(plane: ControlPlane, folder: string, objects: readonly Manifest[]): Promise<void> {
  await plane.kubectl(["apply", "-k", path.join(folder, "crds")]);
  const list = { apiVersion: "v1", kind: "List", items: objects };
  // The namespace comes first in the rendered order, because the other objects need it.
  await plane.kubectl(["apply", "-f", "-"], JSON.stringify(list));
}

interface RoleInput {
  readonly role: Role;
  readonly main: string;
  readonly shipped: readonly Manifest[];
  readonly admissionPort: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly within: number;
  readonly hasShippedFlags: boolean;
  readonly logs: string[];
}

/** Another process may take a port after the test found it free and before our process listens. */
const MOST_PORTS = 3;

async function startRole(plane: ControlPlane, input: RoleInput, tried = 1): Promise<ProductProcess> {
  const name = `keyvault-injector-${input.role}`;
  const kubeconfig = await plane.kubeconfigFor({ namespace: NAMESPACE, name });
  const healthPort = await freePort();
  const logFile = path.join(plane.directory, "logs", `${input.role}-${healthPort}.log`);
  mkdirSync(path.dirname(logFile), { recursive: true });
  appendFileSync(logFile, "");
  input.logs.push(logFile);
  // parseArgs of node:util uses the last of equal flags, so that these override the shipped ones.
  const args = [
    ...shippedArguments(input.shipped, name),
    "--bind-address=127.0.0.1",
    `--admission-port=${input.admissionPort}`,
    `--health-port=${healthPort}`,
    ...input.args,
  ];
  const flags = input.hasShippedFlags ? shippedNodeFlags(input.shipped, name) : [];
  const child = spawn(process.execPath, [...flags, input.main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...baseEnvironment(),
      KUBECONFIG: kubeconfig,
      POD_NAMESPACE: NAMESPACE,
      POD_NAME: `${name}-${healthPort}`,
      ...input.environment,
    },
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => appendFileSync(logFile, chunk));
  const running = startProcess(child, name);
  const product = describeProcess(running, { role: input.role, logFile, healthPort, admissionPort: input.admissionPort });
  try {
    await untilReady(running, product, input.within);
    return product;
  } catch (error) {
    if (tried >= MOST_PORTS || !product.log().includes(`EADDRINUSE: address already in use 127.0.0.1:${healthPort}`)) throw error;
    return startRole(plane, input, tried + 1);
  }
}

interface ProcessFacts {
  readonly role: Role;
  readonly logFile: string;
  readonly healthPort: number;
  readonly admissionPort: number;
}

function describeProcess(running: RunningProcess, { role, logFile, healthPort, admissionPort }: ProcessFacts): ProductProcess {
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  return {
    role,
    healthUrl,
    admissionPort,
    pid: running.child.pid ?? 0,
    exited: running.exited,
    log: () => readFileSync(logFile, "utf8"),
    isReady: async () => (await fetch(`${healthUrl}/readyz`).catch(() => undefined))?.status === 200,
    metrics: async () => (await fetch(`${healthUrl}/metrics`)).text(),
    stop: (grace) => running.stop(grace),
    kill: () => {
      running.child.kill("SIGKILL");
      return running.exited;
    },
    endedBy: () => running.child.signalCode ?? undefined,
  };
}

async function untilReady(running: RunningProcess, product: ProductProcess, within: number): Promise<void> {
  let exit: number | undefined;
  void (async () => {
    exit = await running.exited;
  })();
  await eventually(
    async () => {
      if (exit !== undefined) return true;
      return product.isReady();
    },
    { within, what: `${product.role}'s readiness` },
  ).catch(async (error: unknown) => {
    // The suite never gets this process and therefore cannot stop it. Without this call, the test process would wait for it.
    await running.stop();
    throw new Error(`${error instanceof Error ? error.message : ""}\n${product.log().slice(-4_000)}`);
  });
  if (exit !== undefined) throw new Error(`${product.role} ended with code ${exit}\n${product.log().slice(-4_000)}`);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
