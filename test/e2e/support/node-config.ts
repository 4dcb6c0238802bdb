import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CNI_PLUGINS } from "./debian-packages.ts";
import { NODE_ADDRESS, NODE_NAME, type NodeFolders, PAUSE_IMAGE, POD_RANGE } from "./node-layout.ts";
import type { NodePki } from "./node-pki.ts";

export interface NodeConfigFiles {
  readonly containerd: string;
  readonly kubelet: string;
  readonly kubeProxy: string;
}

export interface NodeConfigInput {
  readonly folders: NodeFolders;
  readonly pki: NodePki;
  readonly cgroup: string;
  /** Interval at which the kubelet checks a pod again, as a Go duration. It determines how soon rotated files appear. */
  readonly syncPeriod: string;
  /** `RealNodeOptions.mirrors` */
  readonly mirrors: Readonly<Record<string, string>>;
}

export function writeNodeConfig(input: NodeConfigInput): NodeConfigFiles {
  const { root } = input.folders;
  const write = (name: string, content: string): string => {
    const file = path.join(root, name);
    writeFileSync(file, content);
    return file;
  };
  mkdirSync(path.join(root, "cni"));
  for (const [host, address] of Object.entries(input.mirrors)) {
    mkdirSync(path.join(root, REGISTRIES, host), { recursive: true });
    write(`${REGISTRIES}/${host}/hosts.toml`, mirrorConfig(host, address));
  }
  write("cni/10-pods.conflist", JSON.stringify(podNetwork(root)));
  return {
    containerd: write("containerd.toml", containerdConfig(input.folders)),
    kubelet: write("kubelet.json", JSON.stringify(kubeletConfig(input))),
    kubeProxy: write("kube-proxy.json", JSON.stringify(kubeProxyConfig(input.pki))),
  };
}

/** One folder for each registry, as in containerd's documentation. */
const REGISTRIES = "registries";

function mirrorConfig(host: string, address: string): string {
  return `server = 'https://${host}'
[host.'${address}']
  capabilities = ['pull', 'resolve']
`;
}

/** Configuration for containerd 1.6, Debian's version. */
function containerdConfig({ root, containerdSocket }: NodeFolders): string {
  return `version = 2
root = '${root}/containerd/root'
state = '${root}/containerd/state'
[grpc]
  address = '${containerdSocket}'
[plugins.'io.containerd.internal.v1.opt']
  path = '${root}/containerd/opt'
[plugins.'io.containerd.grpc.v1.cri']
  sandbox_image = '${PAUSE_IMAGE}'
  # There is no profile to load, and loading one would change the machine.
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE a negative score is refused, and runc does not say why.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
  [plugins.'io.containerd.grpc.v1.cri'.registry]
    config_path = '${root}/${REGISTRIES}'
  [plugins.'io.containerd.grpc.v1.cri'.cni]
    bin_dir = '${CNI_PLUGINS}'
    conf_dir = '${root}/cni'
`;
}

function podNetwork(root: string): unknown {
  return {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: path.join(root, "addresses"),
          ranges: [[{ subnet: POD_RANGE }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

function kubeletConfig({ folders, pki, cgroup, syncPeriod }: NodeConfigInput): unknown {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    // Otherwise version 1.36 exits on version 1 of control groups.
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    enforceNodeAllocatable: ["pods"],
    failSwapOn: false,
    address: NODE_ADDRESS,
    healthzBindAddress: "127.0.0.1",
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: pki.ca } },
    authorization: { mode: "Webhook" },
    tlsCertFile: pki.kubelet,
    tlsPrivateKeyFile: pki.key,
    containerRuntimeEndpoint: `unix://${folders.containerdSocket}`,
    volumePluginDir: path.join(folders.root, "volume-plugins"),
    clusterDomain: "cluster.local",
    // The node's network has no name server.
    resolvConf: "",
    makeIPTablesUtilChains: false,
    syncFrequency: syncPeriod,
    nodeStatusUpdateFrequency: "5s",
    // Images are loaded only once, and no registry could restore them.
    imageGCHighThresholdPercent: 100,
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
  };
}

function kubeProxyConfig(pki: NodePki): unknown {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: pki.kubeconfigs["kube-proxy"] },
    mode: "iptables",
    clusterCIDR: POD_RANGE,
    hostnameOverride: NODE_NAME,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    // Zero leaves settings unchanged that only the machine's first network namespace may change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}
