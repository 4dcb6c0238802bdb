import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually } from "../../support/time/eventually.ts";
import { cgroupFolders, makeCgroup, removeCgroup } from "./cgroups.ts";
import { KERNEL_SETTINGS, PRIVATE_FOLDERS, STATE_PREFIX } from "./node-layout.ts";

/** State of one node run on the machine outside its namespaces. It is stored on disk, so that a later run can clean up after a crash. */
export interface HostState {
  /** Folder of all files. Its last part is also the name of the run's cgroups. */
  readonly root: string;
  readonly owner: { readonly pid: number; readonly started: string };
  readonly before: HostFacts;
}

/** Parts of the machine that a node could change by mistake. */
interface HostFacts {
  readonly settings: Readonly<Record<string, string>>;
  readonly interfaces: readonly string[];
  readonly firewall: readonly string[];
  readonly folders: readonly string[];
}

const STATE_FILE = "host-state.json";
/** Folders that nodes had to create as mount points, the outermost first. Concurrent nodes share them, and the last node removes them. */
const MOUNT_POINTS = path.join(tmpdir(), "keyvault-injector-mount-points.json");
/** Paths that container runtimes, kubelets and network plugins use. No new one may appear. */
const WATCHED = [
  ...PRIVATE_FOLDERS,
  "/run/netns",
  "/run/containerd",
  "/run/secrets-store-csi-providers",
  "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
  "/etc/cni",
  "/opt/cni",
  "/opt/containerd",
];

export function prepareHost(): HostState {
  const before = hostFacts();
  const root = mkdtempSync(path.join(tmpdir(), STATE_PREFIX));
  const state: HostState = { root, owner: { pid: process.pid, started: startOf(process.pid) ?? "" }, before };
  writeFileSync(path.join(root, STATE_FILE), JSON.stringify(state));
  makeMountPoints();
  makeCgroup(path.basename(root));
  return state;
}

/** Undoes `prepareHost`. No process may run in the run's namespaces any more. */
export async function restoreHost(state: HostState): Promise<void> {
  await eventually(() => removeCgroup(path.basename(state.root)), { what: "the end of the node's processes in their cgroups" });
  for (const [setting, value] of Object.entries(state.before.settings)) {
    if (readSetting(setting) !== value) writeFileSync(`/proc/sys/${setting}`, value);
  }
  // Removes its own state before it checks for others, so that of two runs that end at the same time at least one finds itself the last.
  rmSync(state.root, { recursive: true, force: true });
  if (liveRuns().length === 0) removeMountPoints();
}

/** Cleans up after runs whose process no longer exists, and returns their names. */
export async function removeStaleRuns(): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const root of runs()) {
    const state = readState(root);
    if (isLive(state) || (state === undefined && isYoung(root))) continue;
    if (state === undefined) rmSync(root, { recursive: true, force: true });
    else await restoreHost(state);
    removed.push(path.basename(root));
  }
  return removed;
}

function runs(): readonly string[] {
  const names = readdirSync(tmpdir()).filter((entry) => entry.startsWith(STATE_PREFIX));
  return names.map((name) => path.join(tmpdir(), name));
}

function liveRuns(): readonly string[] {
  return runs().filter((root) => isLive(readState(root)));
}

function isLive(state: HostState | undefined): boolean {
  return state !== undefined && startOf(state.owner.pid) === state.owner.started;
}

/** Younger than a minute. Its owner writes the state right after it creates the folder. */
function isYoung(root: string): boolean {
  return Date.now() - statSync(root).mtimeMs < 60_000;
}

/** Leftovers of a run on the machine, one per line. Empty after a clean stop. `identity` is its pid namespace. */
export function leftoversOf(state: HostState, identity: string): readonly string[] {
  const now = hostFacts();
  const name = path.basename(state.root);
  const others: readonly string[] = liveRuns().some((root) => root !== state.root) ? mountPointsMade() : [];
  const appeared = (what: string, before: readonly string[], after: readonly string[]): string[] =>
    after.filter((item) => !before.includes(item)).map((item) => `${what} ${item}`);
  return [
    ...processesOf(state.root, identity),
    ...readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(name) || PRIVATE_FOLDERS.some((folder) => line.split(" ")[4] === folder))
      .map((line) => `mount ${line}`),
    ...cgroupFolders(name).map((folder) => `cgroup ${folder}`),
    ...appeared("network interface", state.before.interfaces, now.interfaces),
    ...appeared("firewall rule", state.before.firewall, now.firewall),
    ...appeared("folder", [...state.before.folders, ...others], now.folders),
    ...KERNEL_SETTINGS.filter((setting) => now.settings[setting] !== state.before.settings[setting]).map(
      (setting) => `kernel setting ${setting}: ${state.before.settings[setting]} became ${now.settings[setting]}`,
    ),
    ...(existsSync(state.root) ? [`folder ${state.root}`] : []),
  ];
}

function hostFacts(): HostFacts {
  return {
    settings: Object.fromEntries(KERNEL_SETTINGS.map((setting) => [setting, readSetting(setting)])),
    interfaces: readdirSync("/sys/class/net"),
    firewall: firewallRules(),
    folders: WATCHED.filter((folder) => existsSync(folder)),
  };
}

function readSetting(setting: string): string {
  return readFileSync(`/proc/sys/${setting}`, "utf8").trim();
}

/** Chains and rules of the kubelet, kube-proxy and network plugins. Other programs' rules may change at any time. */
function firewallRules(): string[] {
  const saved = execFileSync("iptables-save", { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return saved.split("\n").filter((line) => /\b(KUBE|CNI)-/.test(line));
}

/** Processes in the namespace, and those with a path of this run in their command line. */
function processesOf(root: string, identity: string): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return readlinkSync(`/proc/${pid}/ns/pid`) === identity || command.includes(root) ? [`process ${pid} ${command}`] : [];
      } catch {
        return []; // The process ended after the listing.
      }
    });
}

function makeMountPoints(): void {
  const missing = missingFolders();
  const whole = `${MOUNT_POINTS}.${process.pid}`;
  writeFileSync(whole, JSON.stringify([...mountPointsMade(), ...missing]));
  renameSync(whole, MOUNT_POINTS);
  for (const folder of missing) mkdirSync(folder, { recursive: true });
}

function removeMountPoints(): void {
  for (const folder of mountPointsMade().toReversed()) removeIfEmpty(folder);
  rmSync(MOUNT_POINTS, { force: true });
}

function mountPointsMade(): readonly string[] {
  return existsSync(MOUNT_POINTS) ? (JSON.parse(readFileSync(MOUNT_POINTS, "utf8")) as string[]) : []; // Written by makeMountPoints.
}

/** Missing folders of the list, each preceded by its missing parents. */
function missingFolders(): string[] {
  const missing = new Set<string>();
  for (const folder of PRIVATE_FOLDERS) {
    const parts = folder.split("/").slice(1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const prefix = `/${parts.slice(0, depth).join("/")}`;
      if (!existsSync(prefix)) missing.add(prefix);
    }
  }
  return [...missing];
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another process uses it now, or an earlier cleanup removed it.
  }
}

/** State of a run that may be over. Undefined if none exists. */
export function readState(root: string): HostState | undefined {
  try {
    return JSON.parse(readFileSync(path.join(root, STATE_FILE), "utf8")) as HostState; // Written by prepareHost.
  } catch {
    return undefined;
  }
}

/** Start time in clock ticks, which distinguishes a process from a later one with the same number. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
