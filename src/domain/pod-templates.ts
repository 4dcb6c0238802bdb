/** A kind whose controller creates pods. */
export interface PodTemplateKind {
  readonly group: string;
  readonly kind: string;
  /** Plural name, as in a URL path. */
  readonly resource: string;
  /** Path of the pod template. */
  readonly path: readonly string[];
}

export const POD_TEMPLATE_KINDS: readonly PodTemplateKind[] = [
  { group: "apps", kind: "Deployment", resource: "deployments", path: ["spec", "template"] },
  { group: "apps", kind: "StatefulSet", resource: "statefulsets", path: ["spec", "template"] },
  { group: "apps", kind: "DaemonSet", resource: "daemonsets", path: ["spec", "template"] },
  { group: "apps", kind: "ReplicaSet", resource: "replicasets", path: ["spec", "template"] },
  { group: "batch", kind: "Job", resource: "jobs", path: ["spec", "template"] },
  { group: "batch", kind: "CronJob", resource: "cronjobs", path: ["spec", "jobTemplate", "spec", "template"] },
  // A Rollout with workloadRef has no template: it uses the one of a Deployment.
  { group: "argoproj.io", kind: "Rollout", resource: "rollouts", path: ["spec", "template"] },
];
