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
    { path: `${path}.repository`, default: repository, type: NAME, meaning: "image without its tag" },
    { path: `${path}.tag`, default: tag, type: TEXT, meaning: "its tag" },
    { path: `${path}.digest`, default: "", type: TEXT, meaning: "`sha256:…`; given, the tag is not used" },
    { path: `${path}.pullPolicy`, default: "IfNotPresent", type: PULL_POLICY, meaning: "when it is pulled" },
  ];
}

/** `prefix` ends in a dot. */
export function daemonSetRows(prefix: string, system: System): readonly ValueRow[] {
  const { kubelet, providers } = FOLDERS[system];
  return [
    { path: `${prefix}kubeletRootDir`, default: kubelet, type: TEXT, meaning: "the kubelet's folder; the same for driver and provider" },
    {
      path: `${prefix}providersDir`,
      default: providers,
      type: TEXT,
      meaning: "folder of the providers' sockets; the driver must know the provider's",
    },
    { path: `${prefix}nodeSelector`, default: {}, type: LABELS, meaning: "further labels that a node must have" },
    { path: `${prefix}tolerations`, default: [{ operator: "Exists" }], type: LIST, meaning: "taints that are tolerated" },
    { path: `${prefix}affinity`, default: AFFINITY, type: MAP, meaning: "affinity of the pods" },
    {
      path: `${prefix}priorityClassName`,
      default: "system-node-critical",
      type: TEXT,
      meaning: "PriorityClass; empty for none, as upstream",
    },
    {
      path: `${prefix}updateStrategy`,
      default: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      type: MAP,
      meaning: "of the DaemonSet",
    },
    { path: `${prefix}podLabels`, default: {}, type: LABELS, meaning: "further labels of the pods" },
    { path: `${prefix}podAnnotations`, default: {}, type: LABELS, meaning: "annotations of the pods" },
    { path: `${prefix}volumes`, default: [], type: LIST, meaning: "further volumes" },
    { path: `${prefix}volumeMounts`, default: [], type: LIST, meaning: "where they are mounted" },
  ];
}
