/** Words of events on workloads and of the condition `Rotated`. A closed set, as the sync reasons are. */
export const ROLLOUT_REASONS = [
  /** The stamp was set: the controller of the workload replaces its pods. */
  "Restarted",
  /** It is to be restarted, and waits for another one. */
  "Waiting",
  /** A restart is under way, or waits for its turn. */
  "Restarting",
  /** The pods have the versions that are current, and stay up with them. */
  "Rotated",
  /** Not ready in time after its restart, or not for long: nothing else of the namespace is restarted. */
  "RolloutFailed",
  /** No restart begins: somebody paused them. */
  "RestartsPaused",
  /** It is to be restarted, and waits for its window. */
  "WindowClosed",
  /** What says when it may be restarted is wrong, so that it never is. */
  "InvalidWindow",
  /** It is to be restarted, and a PodDisruptionBudget that covers its pods allows none. */
  "DisruptionBudget",
  /** It is to be restarted, and the API server does not take that. */
  "RestartBlocked",
  /** It would be restarted now. */
  "DryRun",
  /** A paused Deployment would take the stamp and replace nothing. */
  "Paused",
  /** A Rollout whose update Argo Rollouts gave up would try it again with the stamp. */
  "Degraded",
  /** Pods of an `OnDelete` workload are replaced by people. */
  "OnDelete",
  /** The partition of a StatefulSet keeps pods at older versions. */
  "Partitioned",
  /** It is to be restarted, once the driver has brought the files of its pods up to date. */
  "AwaitingFiles",
  /** Which versions its pods have, or get, is not known at the moment. */
  "VersionsUnknown",
  /** Asks for restarts, and uses nothing whose versions are known. */
  "NoVersions",
] as const;

export type RolloutReason = (typeof ROLLOUT_REASONS)[number];
