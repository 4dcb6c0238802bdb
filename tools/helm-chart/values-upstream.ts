/** Values that the driver's chart and the provider's chart have alike, for one operating system. */
import type { Json } from "./place.ts";
import { LABELS, LIST, MAP, NAME, PULL_POLICY, TEXT, type ValueRow } from "./value-row.ts";

export type System = "linux" | "windows";

export const SYSTEMS: readonly System[] = ["linux", "windows"];

export const FOLDERS = {
  linux: { kubelet: "/var/lib/kubelet", providers: "/var/run/secrets-store-csi-providers" },
  windows: { kubelet: "C:\\var\\lib\\kubelet", providers: "C:\\k\\secrets-store-csi-providers" },
} as const;

/** Kept off nodes that are no machines. */
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
      meaning: "Where the image is, without its tag. Set it to a registry of your own where nodes reach no other.",
    },
    {
      path: `${path}.tag`,
      default: tag,
      type: TEXT,
      meaning: "Tag of the image. The default is the version that this chart is tested with.",
    },
    { path: `${path}.digest`, default: "", type: TEXT, meaning: "Digest of the image, `sha256:…`. Given, the tag is not used." },
    { path: `${path}.pullPolicy`, default: "IfNotPresent", type: PULL_POLICY, meaning: "When nodes pull the image." },
  ];
}

/** `prefix` ends in a dot. */
export function daemonSetRows(prefix: string, system: System): readonly ValueRow[] {
  const { kubelet, providers } = FOLDERS[system];
  return [
    {
      path: `${prefix}kubeletRootDir`,
      default: kubelet,
      type: TEXT,
      meaning: "The kubelet's folder. Change it where kubelets have another one, for driver and provider alike.",
    },
    {
      path: `${prefix}providersDir`,
      default: providers,
      type: TEXT,
      meaning: "Folder of the providers' sockets. The driver must know the provider's.",
    },
    { path: `${prefix}nodeSelector`, default: {}, type: LABELS, meaning: "Labels that a node must have besides." },
    {
      path: `${prefix}tolerations`,
      default: [{ operator: "Exists" }],
      type: LIST,
      meaning: "Taints that the pods tolerate. By default all: a node without them starts no pod that mounts a class.",
    },
    {
      path: `${prefix}affinity`,
      default: AFFINITY,
      type: MAP,
      meaning: "Affinity of the pods. By default they stay off nodes that are no machines.",
    },
    {
      path: `${prefix}priorityClassName`,
      default: "system-node-critical",
      type: TEXT,
      meaning: "PriorityClass of the pods. Empty for none, as upstream has it.",
    },
    {
      path: `${prefix}updateStrategy`,
      default: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      type: MAP,
      meaning: "How the DaemonSet replaces its pods.",
    },
    { path: `${prefix}podLabels`, default: {}, type: LABELS, meaning: "Labels that the pods have besides." },
    { path: `${prefix}podAnnotations`, default: {}, type: LABELS, meaning: "Annotations of the pods." },
    { path: `${prefix}volumes`, default: [], type: LIST, meaning: "Volumes of the pods besides." },
    { path: `${prefix}volumeMounts`, default: [], type: LIST, meaning: "Where the container mounts them." },
  ];
}
