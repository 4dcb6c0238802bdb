import { inNamespace, type Resource } from "../kubernetes.ts";

export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet" | "Rollout";

/** Kinds whose controllers replace pods when the template changes. */
export const WORKLOADS: Readonly<Record<WorkloadKind, Resource>> = {
  Deployment: inNamespace("apps/v1", "Deployment", "deployments"),
  StatefulSet: inNamespace("apps/v1", "StatefulSet", "statefulsets"),
  DaemonSet: inNamespace("apps/v1", "DaemonSet", "daemonsets"),
  // Kind of Argo Rollouts, present only if its CRD is installed.
  Rollout: inNamespace("argoproj.io/v1alpha1", "Rollout", "rollouts"),
};
