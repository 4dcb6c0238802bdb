import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Debian package -> the file of it that the node needs. */
const PACKAGES: Readonly<Record<string, string>> = {
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

function missingPackages(): string[] {
  return Object.keys(PACKAGES).filter((name) => !existsSync(PACKAGES[name] ?? ""));
}

/** Installs what is missing of the container runtime; returns why that was not possible, undefined when all is there. */
export function installPackages(): string | undefined {
  const missing = missingPackages();
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
  const still = missingPackages();
  return still.length === 0 ? undefined : `installed, but ${still.map((name) => PACKAGES[name]).join(", ")} is not there`;
}

/** Ten minutes, so that a lock held by somebody else ends in a message. */
function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", args, { env, stdio: ["ignore", "ignore", "pipe"], timeout: 600_000 });
}
