import path from "node:path";

/** Addresses and names of the one node. It has its own network, so that they cannot conflict with the machine's. */
export const NODE_NAME = "node-1";
/** Not loopback, because pods must reach it, and the kubelet rejects a loopback address. */
export const NODE_ADDRESS = "10.99.0.1";
export const API_PORT = 6443;
export const POD_RANGE = "10.244.0.0/24";
export const SERVICE_RANGE = "10.96.0.0/24";
/** The first address of the range, which is that of `kubernetes.default`. */
export const API_SERVICE_ADDRESS = "10.96.0.1";
export const PAUSE_IMAGE = "localhost/pause:1";

/** Host folders that become private memory file systems of the node. Missing ones are created, and removed at the end. */
export const PRIVATE_FOLDERS = ["/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers", "/etc/kubernetes"] as const;

/** Kernel settings of the whole machine that the kubelet requires. It writes to copies of them. */
export const KERNEL_SETTINGS = [
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
] as const;

/** Prefix of the state folder's name in the system's temporary folder, and of the cgroups' name. */
export const STATE_PREFIX = "keyvault-injector-node-";

export interface NodeFolders {
  readonly root: string;
  readonly pki: string;
  readonly logs: string;
  readonly images: string;
  readonly temporary: string;
  readonly containerdSocket: string;
  /** Unix socket of the API server, for access from outside the node's network. */
  readonly apiSocket: string;
}

export function foldersOf(root: string): NodeFolders {
  return {
    root,
    pki: path.join(root, "pki"),
    logs: path.join(root, "logs"),
    images: path.join(root, "images"),
    temporary: path.join(root, "tmp"),
    containerdSocket: path.join(root, "containerd.sock"),
    apiSocket: path.join(root, "api.sock"),
  };
}
