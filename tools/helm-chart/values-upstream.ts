/** Values that the driver's chart and the provider's chart share, for one operating system. */
import type { Json } from "./place.ts";
import { LABELS, LIST, MAP, NAME, PULL_POLICY, TEXT, type ValueRow } from "./value-row.ts";

export type System = "linux" | "windows";

export const SYSTEMS: readonly System[] = ["linux", "windows"];

export const FOLDERS = {
  linux: { kubelet: "/var/lib/kubelet", providers: "/var/run/secrets-store-csi-providers" },
  windows: { kubelet: "C:\\var\\lib\\kubelet", providers: "C:\\k\\secrets-store-csi-providers" },
} as const;

/** Keeps the pods off virtual nodes. */
const AFFINITY: Json = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "type", operator: "NotIn", values: ["virtual-kubelet"] }] }],
    },
  },
};

export function resources(requests: Json, limits: Json): Json {
  return { requests, limits };
}

export interface ImageDefault {
  readonly repository: string;
  readonly tag: string;
}

export function imageRows(path: string, { repository, tag }: ImageDefault): readonly ValueRow[] {
  return [
    {
      path: `${path}.repository`,
      default: repository,
      type: NAME,
      meaning: "Image name without the tag.",
    },
    {
      path: `${path}.tag`,
      default: tag,
      type: TEXT,
      meaning: "Image tag.",
    },
    { path: `${path}.digest`, default: "", type: TEXT, meaning: "Image digest, `sha256:…`, which overrides the tag." },
    { path: `${path}.pullPolicy`, default: "IfNotPresent", type: PULL_POLICY, meaning: "When nodes pull the image." },
  ];
}

/** `prefix` ends in a dot. */
export function daemonSetRows(prefix: string, system: System): readonly ValueRow[] {
  const { kubelet, providers } = FOLDERS[system];
  /** Adds a sentence only to the Linux values, which readers see first. */
  const ifLinux = (more: string): string => (system === "linux" ? more : "");
  return [
    {
      path: `${prefix}kubeletRootDir`,
      default: kubelet,
      type: TEXT,
      meaning: `The kubelet's folder.${ifLinux(" Use the same value for the driver and the provider.")}`,
    },
    {
      path: `${prefix}providersDir`,
      default: providers,
      type: TEXT,
      meaning: `Folder of the provider sockets.${ifLinux(" The driver and the provider must use the same folder.")}`,
    },
    { path: `${prefix}nodeSelector`, default: {}, type: LABELS, meaning: "Additional labels that a node must have." },
    {
      path: `${prefix}tolerations`,
      default: [{ operator: "Exists" }],
      type: LIST,
      meaning: `Taints that the pods tolerate; by default, all taints.${ifLinux(" Nodes without these pods cannot start pods that mount a class.")}`,
    },
    {
      path: `${prefix}affinity`,
      default: AFFINITY,
      type: MAP,
      meaning: `Affinity of the pods.${ifLinux(" By default, the pods do not run on virtual kubelet nodes.")}`,
    },
    {
      path: `${prefix}priorityClassName`,
      default: "system-node-critical",
      type: TEXT,
      meaning: `PriorityClass of the pods.${ifLinux(" If empty, the pods have no PriorityClass.")}`,
    },
    {
      path: `${prefix}updateStrategy`,
      default: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      type: MAP,
      meaning: "How the DaemonSet replaces its pods.",
    },
    { path: `${prefix}podLabels`, default: {}, type: LABELS, meaning: "Additional labels of the pods." },
    { path: `${prefix}podAnnotations`, default: {}, type: LABELS, meaning: "Annotations of the pods." },
    { path: `${prefix}volumes`, default: [], type: LIST, meaning: "Additional volumes of the pods." },
    { path: `${prefix}volumeMounts`, default: [], type: LIST, meaning: "Mounts of the additional volumes." },
  ];
}
