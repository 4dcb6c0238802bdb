import path from "node:path";
import type { NodeBinaries } from "./binaries.ts";
import type { NodeConfigFiles } from "./node-config.ts";
import { API_PORT, NODE_ADDRESS, NODE_NAME, type NodeFolders, SERVICE_RANGE } from "./node-layout.ts";
import type { NodePki } from "./node-pki.ts";

export type ComponentName =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "containerd"
  | "kubelet"
  | "kube-proxy";

export interface Component {
  readonly name: ComponentName | "api-socket";
  readonly command: string;
  readonly args: readonly string[];
}

export interface ComponentInput {
  readonly folders: NodeFolders;
  readonly binaries: NodeBinaries;
  readonly pki: NodePki;
  readonly config: NodeConfigFiles;
  readonly apiServerFlags: readonly string[];
}

const ETCD = "http://127.0.0.1:2379";

/** Components that can start at the same time. */
export function controlPlaneComponents(input: ComponentInput): readonly Component[] {
  const { folders, binaries, config } = input;
  return [
    {
      name: "etcd",
      command: binaries.etcd,
      args: [
        `--data-dir=${path.join(folders.root, "etcd")}`,
        `--listen-client-urls=${ETCD}`,
        `--advertise-client-urls=${ETCD}`,
        "--listen-peer-urls=http://127.0.0.1:2380",
        // No data outlives the run.
        "--unsafe-no-fsync",
        // kubeadm's value.
        "--watch-progress-notify-interval=5s",
      ],
    },
    { name: "kube-apiserver", command: binaries["kube-apiserver"], args: apiServerArgs(input) },
    { name: "containerd", command: "containerd", args: [`--config=${config.containerd}`] },
    {
      name: "api-socket",
      command: "socat",
      // Socat's default backlog of five is smaller than the number of connections that one of our clients opens at once, and the sixth is
      // refused.
      args: [`UNIX-LISTEN:${folders.apiSocket},fork,backlog=128,mode=600`, `TCP:127.0.0.1:${API_PORT}`],
    },
  ];
}

/** Components that end or back off if the API server does not answer yet. */
export function nodeComponents({ binaries, pki, config }: ComponentInput): readonly Component[] {
  const kubeconfig = (user: keyof NodePki["kubeconfigs"]): string => pki.kubeconfigs[user];
  const manager = kubeconfig("kube-controller-manager");
  const scheduler = kubeconfig("kube-scheduler");
  return [
    {
      name: "kube-controller-manager",
      command: binaries["kube-controller-manager"],
      args: [
        `--kubeconfig=${manager}`,
        `--authentication-kubeconfig=${manager}`,
        `--authorization-kubeconfig=${manager}`,
        `--root-ca-file=${pki.ca}`,
        `--service-account-private-key-file=${pki.serviceAccountKey}`,
        "--use-service-account-credentials=true",
        `--cluster-signing-cert-file=${pki.ca}`,
        `--cluster-signing-key-file=${pki.caKey}`,
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
      ],
    },
    {
      name: "kube-scheduler",
      command: binaries["kube-scheduler"],
      args: [
        `--kubeconfig=${scheduler}`,
        `--authentication-kubeconfig=${scheduler}`,
        `--authorization-kubeconfig=${scheduler}`,
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
      ],
    },
    {
      name: "kubelet",
      command: binaries.kubelet,
      args: [
        `--config=${config.kubelet}`,
        `--kubeconfig=${kubeconfig("kubelet")}`,
        `--hostname-override=${NODE_NAME}`,
        `--node-ip=${NODE_ADDRESS}`,
        "--v=2",
      ],
    },
    { name: "kube-proxy", command: binaries["kube-proxy"], args: [`--config=${config.kubeProxy}`] },
  ];
}

function apiServerArgs({ pki, apiServerFlags }: ComponentInput): readonly string[] {
  return [
    `--etcd-servers=${ETCD}`,
    "--bind-address=0.0.0.0",
    `--advertise-address=${NODE_ADDRESS}`,
    `--secure-port=${API_PORT}`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    `--client-ca-file=${pki.ca}`,
    `--tls-cert-file=${pki.apiServer}`,
    `--tls-private-key-file=${pki.key}`,
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${pki.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${pki.serviceAccountKey}`,
    `--kubelet-client-certificate=${pki.apiServerAsKubeletClient}`,
    `--kubelet-client-key=${pki.key}`,
    `--kubelet-certificate-authority=${pki.ca}`,
    "--kubelet-preferred-address-types=InternalIP",
    ...apiServerFlags,
  ];
}
