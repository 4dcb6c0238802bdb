import { execFile, spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { request } from "node:https";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { runKubectl } from "../../support/cluster/control-plane.ts";
import { type RunningProcess, startProcess } from "../../support/processes/process.ts";
import { eventually } from "../../support/time/eventually.ts";
import { binariesRefusal, type NodeBinaries, nodeBinaries } from "./binaries.ts";
import { cgroupsRefusal } from "./cgroups.ts";
import { installPackages } from "./debian-packages.ts";
import { type HostState, leftoversOf, prepareHost, removeStaleRuns, restoreHost } from "./host-state.ts";
import { innerProcess, type Namespaces, namespacesRefusal, openNamespaces, signalInside } from "./namespaces.ts";
import { type Component, type ComponentName, controlPlaneComponents, nodeComponents } from "./node-components.ts";
import { writeNodeConfig } from "./node-config.ts";
import { nodeImages, sandboxImage } from "./node-images.ts";
import { foldersOf, NODE_ADDRESS, NODE_NAME, type NodeFolders } from "./node-layout.ts";
import { type NodePki, writePki } from "./node-pki.ts";
import { type ImageSpec, type WrittenImage, writeImageArchive } from "./oci-image.ts";
import { relaySockets, type SocketRelay } from "./socket-relay.ts";

export interface RealNodeOptions {
  /** Images in addition to the node's own, loaded before the node is ready. */
  readonly images?: readonly ImageSpec[];
  /**
   * Addresses, `http://…`, of mirrors by the registry's host, from which the node pulls images. With mirrors, the node starts with only its
   * sandbox image.
   */
  readonly mirrors?: Readonly<Record<string, string>>;
  /** kubelet's `syncFrequency`. Default `1s`, so that rotation takes seconds. */
  readonly syncPeriod?: string;
  /** Further kube-apiserver flags, for example for an audit policy. */
  readonly apiServerFlags?: readonly string[];
  /** Called after each step with a description of it. */
  readonly progress?: (line: string) => void;
}

/** One Kubernetes node with its control plane, in its own namespaces. See `startRealNode`. */
export interface RealNode {
  readonly name: string;
  /** Address that its pods can reach, on which processes of `spawn` should listen. */
  readonly address: string;
  /** Folder of all files of the run, with the same path inside. `stop` removes it. */
  readonly directory: string;
  /** The administrator's kubeconfig, usable from outside while this process lives. */
  readonly kubeconfigPath: string;
  /** The same for use inside the node's network. */
  readonly innerKubeconfigPath: string;
  readonly pki: NodePki;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Runs a command inside. Resolves with its stdout. */
  run(command: string, args: readonly string[]): Promise<string>;
  /** Starts a helper inside, with a log under its name. `stop` sends SIGTERM to the helper itself. */
  spawn(name: string, command: SpawnCommand): Promise<RunningProcess>;
  /** Makes a port of the machine's loopback reachable inside, also for pods, at a port of one of the node's addresses. */
  bringIn(ports: BroughtPort): Promise<void>;
  /**
   * Stops components with SIGTERM and starts them in the given order. Containers keep running, as on a machine that restarts the services.
   */
  restart(...components: readonly ComponentName[]): Promise<void>;
  loadImage(archive: string): Promise<void>;
  /** Writes an image's archive and loads it. */
  addImage(spec: ImageSpec): Promise<WrittenImage>;
  /** Returns the output of a component or helper so far. */
  logs(name: string): string;
  /** Resident memory of the components and helpers, in bytes. */
  memory(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
  /** Traces of this run on the machine. Empty after `stop`. */
  leftovers(): readonly string[];
}

export interface BroughtPort {
  readonly from: number;
  readonly to: number;
  /** Default: the node's `address`. */
  readonly address?: string;
}

export interface SpawnCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Reason why a real node cannot run here. Undefined if it can. Installs missing Debian packages. */
export async function realNodeRefusal(): Promise<string | undefined> {
  return (await namespacesRefusal()) ?? cgroupsRefusal() ?? binariesRefusal() ?? installPackages();
}

/**
 * Starts etcd, API server, controller-manager, scheduler, containerd, kubelet and kube-proxy. Resolves when the node is Ready. The
 * machine's own mounts, network and processes stay unchanged. When this process ends in any way, all processes of the node end.
 */
export async function startRealNode(options: RealNodeOptions = {}): Promise<RealNode> {
  const refusal = await realNodeRefusal();
  if (refusal !== undefined) throw new Error(refusal);
  const progress = options.progress ?? (() => undefined);
  const binaries = await nodeBinaries();
  for (const run of await removeStaleRuns()) progress(`tidied up after ${run}`);
  const host = prepareHost();
  let namespaces: Namespaces | undefined;
  try {
    const folders = foldersOf(host.root);
    for (const folder of [folders.pki, folders.logs, folders.images, folders.temporary]) mkdirSync(folder);
    namespaces = await openNamespaces(folders);
    progress("namespaces");
    return await new NodeStart({ options, binaries, host, namespaces, folders, progress }).run();
  } catch (error) {
    await namespaces?.end();
    await restoreHost(host);
    throw error;
  }
}

interface StartInput {
  readonly options: RealNodeOptions;
  readonly binaries: NodeBinaries;
  readonly host: HostState;
  readonly namespaces: Namespaces;
  readonly folders: NodeFolders;
  readonly progress: (line: string) => void;
}

/** Holds the processes and relays during the start. The result is a plain RealNode. */
class NodeStart {
  readonly #input: StartInput;
  readonly #processes = new Map<string, { readonly process: RunningProcess; readonly inner: number }>();
  readonly #components = new Map<string, Component>();
  readonly #relays: SocketRelay[] = [];

  constructor(input: StartInput) {
    this.#input = input;
  }

  async run(): Promise<RealNode> {
    const { options, binaries, host, folders, progress } = this.#input;
    const pki = writePki(folders.pki);
    const config = writeNodeConfig({
      folders,
      pki,
      cgroup: path.basename(host.root),
      syncPeriod: options.syncPeriod ?? "1s",
      mirrors: options.mirrors ?? {},
    });
    const components = { folders, binaries, pki, config, apiServerFlags: options.apiServerFlags ?? [] };
    await this.#startAll(controlPlaneComponents(components));
    const own = options.mirrors === undefined ? nodeImages(binaries) : [sandboxImage(binaries)];
    const loading = this.#loadAll([...own, ...(options.images ?? [])]);
    await this.#apiReady(pki);
    progress("API server ready");
    await this.#startAll(nodeComponents(components));
    await loading;
    progress("images loaded");
    const node = this.#node(pki);
    await this.#nodeReady(node);
    progress("node Ready");
    return node;
  }

  async #restart(names: readonly ComponentName[]): Promise<void> {
    for (const name of names.toReversed()) await this.#processes.get(name)?.process.stop();
    for (const name of names) {
      const component = this.#components.get(name);
      if (component === undefined) throw new Error(`${name} was never started`);
      await eventually(() => this.#staysUp(component), { within: 60_000, every: 100, what: `${name} to stay up` });
    }
  }

  /** A kubelet exits if containerd runs but is not ready yet. On a machine, the service manager would restart it. */
  async #staysUp(component: Component): Promise<boolean> {
    const { exited } = await this.#spawn(component.name, component);
    return Promise.race([exited.then(() => false), delay(3_000, true)]);
  }

  async #startAll(components: readonly Component[]): Promise<void> {
    for (const component of components) this.#components.set(component.name, component);
    await Promise.all(components.map((component) => this.#spawn(component.name, component)));
  }

  async #spawn(name: string, { command, args, environment }: SpawnCommand): Promise<RunningProcess> {
    const { folders, namespaces } = this.#input;
    const log = openSync(path.join(folders.logs, `${name}.log`), "a");
    const [nsenter, nsenterArgs] = namespaces.enter(command, args);
    const child = spawn(nsenter, nsenterArgs, { stdio: ["ignore", log, log], env: { ...innerEnvironment(folders), ...environment } });
    const outer = startProcess(child, name);
    const inner = await innerProcess(child.pid ?? 0).catch((error: unknown) => {
      throw new Error(`${name} did not start: ${this.#log(name)}`, { cause: error });
    });
    const running: RunningProcess = { ...outer, stop: (grace) => stopInside(outer, grace) };
    this.#processes.set(name, { process: running, inner });
    return running;
  }

  async #apiReady(pki: NodePki): Promise<void> {
    const relay = await relaySockets({ host: "127.0.0.1", port: 0 }, { path: this.#input.folders.apiSocket });
    this.#relays.push(relay);
    const server = `https://127.0.0.1:${relay.port}`;
    pki.adminKubeconfig(server, this.#kubeconfigPath());
    await this.#awaiting("kube-apiserver", () => isReady(server, pki));
  }

  async #bringIn({ from, to, address = NODE_ADDRESS }: BroughtPort): Promise<void> {
    const unixSocket = path.join(this.#input.folders.root, `port-${to}.sock`);
    this.#relays.push(await relaySockets({ path: unixSocket }, { host: "127.0.0.1", port: from }));
    const listen = `TCP-LISTEN:${to},bind=${address},reuseaddr,fork,backlog=128`;
    await this.#spawn(`port-${to}`, { command: "socat", args: [listen, `UNIX-CONNECT:${unixSocket}`] });
  }

  async #nodeReady(node: RealNode): Promise<void> {
    const wait = (args: readonly string[]): Promise<string> => node.kubectl(["wait", ...args, "--timeout=60s"]);
    await this.#awaiting("kubelet", () => wait(["--for=condition=Ready", `node/${NODE_NAME}`]));
    await wait(["--for=create", "serviceaccount/default", "--namespace=default"]);
  }

  /** If the component ends, throws an error with the end of its log instead of a time-out. */
  async #awaiting(name: string, attempt: () => Promise<unknown>): Promise<void> {
    const ended = this.#processes.get(name)?.process.exited.then((code) => {
      throw new Error(`${name} ended with ${code}: ${this.#log(name).slice(-2_000)}`);
    });
    const ready = eventually(async () => (await attempt()) !== false, { within: 90_000, every: 100, what: `${name}'s readiness` });
    await Promise.race([ready, ...(ended === undefined ? [] : [ended])]);
    ended?.catch(() => undefined); // Later ends do not matter here.
  }

  async #loadAll(images: readonly ImageSpec[]): Promise<void> {
    const socket = this.#input.folders.containerdSocket;
    await eventually(() => this.#run("ctr", ["--address", socket, "version"]).then(() => true), { what: "containerd" });
    for (const image of images) await this.#addImage(image);
  }

  async #addImage(spec: ImageSpec): Promise<WrittenImage> {
    const name = (spec.names[0] ?? "image").replaceAll(/[^\w.-]/g, "_");
    const image = writeImageArchive(path.join(this.#input.folders.images, `${name}.tar`), spec);
    await this.#loadImage(image.file);
    return image;
  }

  async #loadImage(archive: string): Promise<void> {
    await this.#run("ctr", ["--address", this.#input.folders.containerdSocket, "--namespace", "k8s.io", "images", "import", archive]);
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    const [nsenter, nsenterArgs] = this.#input.namespaces.enter(command, args);
    const options = { env: innerEnvironment(this.#input.folders), maxBuffer: 256 * 1024 * 1024 };
    return (await promisify(execFile)(nsenter, nsenterArgs, options)).stdout;
  }

  #log(name: string): string {
    return readFileSync(path.join(this.#input.folders.logs, `${name}.log`), "utf8");
  }

  #kubeconfigPath(): string {
    return path.join(this.#input.folders.root, "kubeconfig");
  }

  #memory(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#processes].map(([name, { inner }]) => [name, residentBytes(inner)]));
  }

  async #stop(): Promise<void> {
    for (const relay of this.#relays) await relay.close();
    await this.#input.namespaces.end();
    await restoreHost(this.#input.host);
  }

  #node(pki: NodePki): RealNode {
    const { folders, host, namespaces } = this.#input;
    return {
      name: NODE_NAME,
      address: NODE_ADDRESS,
      directory: folders.root,
      kubeconfigPath: this.#kubeconfigPath(),
      innerKubeconfigPath: pki.kubeconfigs.admin,
      pki,
      kubectl: (args, input) => runKubectl(this.#kubeconfigPath(), args, input),
      run: (command, args) => this.#run(command, args),
      spawn: (name, command) => this.#spawn(name, command),
      bringIn: (ports) => this.#bringIn(ports),
      restart: (...names) => this.#restart(names),
      loadImage: (archive) => this.#loadImage(archive),
      addImage: (spec) => this.#addImage(spec),
      logs: (name) => this.#log(name),
      memory: () => this.#memory(),
      stop: () => this.#stop(),
      leftovers: () => leftoversOf(host, namespaces.identity),
    };
  }
}

/** Keeps the caller's settings, such as a proxy, out of the cluster. */
function innerEnvironment(folders: NodeFolders): Record<string, string> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: folders.root, TMPDIR: folders.temporary };
}

async function stopInside(outer: RunningProcess, grace = 10_000): Promise<number> {
  const pid = outer.child.pid ?? 0;
  if (outer.child.exitCode !== null) return outer.exited;
  signalInside(pid, "SIGTERM");
  const timer = setTimeout(() => signalInside(pid, "SIGKILL"), grace);
  try {
    return await outer.exited;
  } finally {
    clearTimeout(timer);
  }
}

function isReady(server: string, pki: NodePki): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const options = {
      ca: readFileSync(pki.ca),
      cert: readFileSync(pki.apiServerAsKubeletClient),
      key: readFileSync(pki.key),
      timeout: 2_000,
    };
    const call = request(`${server}/readyz`, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on("timeout", () => call.destroy(new Error("no answer")));
    call.on("error", reject);
    call.end();
  });
}

function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024;
  } catch {
    return 0; // It has ended.
  }
}
