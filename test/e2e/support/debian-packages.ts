import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** For each Debian package, the file that the node needs. */
type Packages = Readonly<Record<string, string>>;

const NODE_PACKAGES: Packages = {
  containerd: "/usr/bin/containerd",
  runc: "/usr/sbin/runc",
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  "busybox-static": "/bin/busybox",
  iptables: "/usr/sbin/iptables",
  conntrack: "/usr/sbin/conntrack",
  socat: "/usr/bin/socat",
  iproute2: "/sbin/ip",
  "util-linux": "/usr/bin/nsenter",
};

export const BUSYBOX = "/bin/busybox";
export const CNI_PLUGINS = "/usr/lib/cni";

function missingOf(packages: Packages): string[] {
  return Object.keys(packages).filter((name) => !existsSync(packages[name] ?? ""));
}

/** Installs missing packages, by default those of the node. Returns the reason if that fails, or undefined. */
export function installPackages(packages: Packages = NODE_PACKAGES): string | undefined {
  const missing = missingOf(packages);
  if (missing.length === 0) return undefined;
  const remedy = `install ${missing.join(", ")} (names of Debian packages)`;
  if (!existsSync("/usr/bin/apt-get")) return `${remedy}; this is no Debian, so it was not tried`;
  process.stderr.write(`installing ${missing.join(", ")}\n`);
  try {
    aptGet(["update", "-qq"]);
    aptGet(["install", "-y", "-qq", "--no-install-recommends", ...missing]);
  } catch (error) {
    return `${remedy}; apt-get could not: ${error instanceof Error ? error.message : String(error)}`;
  }
  const still = missingOf(packages);
  return still.length === 0 ? undefined : `installed, but ${still.map((name) => packages[name]).join(", ")} is not there`;
}

/** The time limit of ten minutes ends a wait for another process's lock with a message. */
function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", args, { env, stdio: ["ignore", "ignore", "pipe"], timeout: 600_000 });
}
