/** A kind whose controller makes pods. */
export interface PodTemplateKind {
  readonly group: string;
  readonly kind: string;
  /** Plural, as in a path. */
  readonly resource: string;
  /** Where the pod's template is. */
  readonly path: readonly string[];
}

export const POD_TEMPLATE_KINDS: readonly PodTemplateKind[] = [
  { group: "apps", kind: "Deployment", resource: "deployments", path: ["spec", "template"] },
  { group: "apps", kind: "StatefulSet", resource: "statefulsets", path: ["spec", "template"] },
  { group: "apps", kind: "DaemonSet", resource: "daemonsets", path: ["spec", "template"] },
  { group: "apps", kind: "ReplicaSet", resource: "replicasets", path: ["spec", "template"] },
  { group: "batch", kind: "Job", resource: "jobs", path: ["spec", "template"] },
  { group: "batch", kind: "CronJob", resource: "cronjobs", path: ["spec", "jobTemplate", "spec", "template"] },
];
