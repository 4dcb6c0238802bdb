import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { type RunningProcess, startProcess } from "../../support/processes/process.ts";
import { eventually } from "../../support/time/eventually.ts";
import { KERNEL_SETTINGS, NODE_ADDRESS, NODE_NAME, type NodeFolders, PRIVATE_FOLDERS } from "./node-layout.ts";

/** Mount, network, pid, ipc and uts namespaces with one process that keeps them alive. When it ends, the kernel ends all others. */
export interface Namespaces {
  /** Its process id outside, for `nsenter --target`. */
  readonly init: number;
  /** Identity of the pid namespace, `pid:[…]`. A process with this identity after the end is a leftover. */
  readonly identity: string;
  /** Returns command and arguments that run another command inside. */
  enter(command: string, args: readonly string[]): readonly [string, readonly string[]];
  end(): Promise<void>;
}

/**
 * The first process waits on its standard input, which only this process holds. If this process ends in any way, even by SIGKILL, the input
 * closes and all processes inside end.
 */
export async function openNamespaces(folders: NodeFolders): Promise<Namespaces> {
  const kinds = ["--mount", "--net", "--pid", "--ipc", "--uts"];
  const child = spawn(
    "unshare",
    [...kinds, "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "bash", "-ec", setUpScript(folders)],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const holder = startProcess(child, "namespaces");
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = `${errors}${chunk}`.slice(-2_000);
  });
  await ready(holder, () => errors);
  const init = onlyChild(child.pid ?? 0);
  const target = ["--target", String(init), ...kinds, "--wdns=/"];
  return {
    init,
    identity: readlinkSync(`/proc/${init}/ns/pid`),
    enter: (command, args) => ["nsenter", [...target, "--", command, ...args]],
    end: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await holder.exited;
      clearTimeout(timer);
    },
  };
}

function ready(holder: RunningProcess, errors: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    holder.child.stdout?.once("data", () => resolve());
    void holder.exited.then((code) => reject(new Error(`the node's namespaces could not be set up (exit ${code}): ${errors()}`)));
  });
}

/** Reason why namespaces are not available here. Undefined if they are. */
export async function namespacesRefusal(): Promise<string | undefined> {
  if (process.platform !== "linux") return `a real node needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "a real node needs root: run the same command as root";
  const child = spawn(
    "unshare",
    ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--mount-proc", "mount", "-t", "tmpfs", "probe", "/run"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const code = await startProcess(child, "unshare").exited;
  return code === 0 ? undefined : `a real node needs new namespaces, which this machine refuses: ${errors.trim() || `exit ${code}`}`;
}

/** Signals the process that an `nsenter` child runs, because nsenter does not forward signals. */
export function signalInside(nsenter: number, signal: NodeJS.Signals): void {
  const inner = childrenOf(nsenter)[0];
  if (inner !== undefined) process.kill(inner, signal);
}

export async function innerProcess(nsenter: number): Promise<number> {
  return eventually(() => childrenOf(nsenter)[0], { within: 5_000, every: 10, what: "the process inside the namespaces" });
}

function onlyChild(pid: number): number {
  const [child] = childrenOf(pid);
  if (child === undefined) throw new Error(`process ${pid} has no child`);
  return child;
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return []; // It has ended.
  }
}

/** Sets up the namespaces like a machine that boots into a cluster. Uses bash, because its `read` reaps orphans while it waits. */
function setUpScript(folders: NodeFolders): string {
  const copies = path.join(folders.root, "kernel");
  for (const setting of KERNEL_SETTINGS) mkdirSync(path.join(copies, path.dirname(setting)), { recursive: true });
  return [
    // As on a booted machine, because the driver's mounts in a pod's folder must be visible to the pod.
    "mount --make-rshared /",
    "ip link set lo up",
    // Uses a pair of virtual links, because some kernels have no dummy links.
    "ip link add node0 type veth peer name node0-peer",
    `ip address add ${NODE_ADDRESS}/24 dev node0`,
    "ip link set node0 up",
    "ip link set node0-peer up",
    // A packet to the Service range needs any route before kube-proxy's rules can redirect it.
    "ip route add default dev node0",
    "echo 1 >/proc/sys/net/ipv4/ip_forward",
    `hostname ${NODE_NAME}`,
    "mount -t tmpfs -o mode=755 tmpfs /run",
    "mkdir /run/netns /run/lock",
    ...PRIVATE_FOLDERS.map((folder) => `mount -t tmpfs -o mode=755 tmpfs ${folder}`),
    ...KERNEL_SETTINGS.map(
      (setting) => `cat /proc/sys/${setting} >${copies}/${setting}; mount --bind ${copies}/${setting} /proc/sys/${setting}`,
    ),
    "echo ready",
    "read -r _ || true",
  ].join("\n");
}
