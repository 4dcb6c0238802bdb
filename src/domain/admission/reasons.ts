/**
 * Reasons for the answers to admission reviews, by outcome. The set is closed. The response, the metric label, and the log field use the
 * same word.
 */
export const ADMISSION_REASONS = {
  patched: ["Injected"],
  unchanged: ["AlreadyInjected", "NotOptedIn", "MirrorPod", "Unsupported"],
  denied: [
    "InvalidAnnotation",
    "UnknownAnnotation",
    "ClassRequired",
    "ContainerNotFound",
    "VolumeNameTaken",
    "MountPathTaken",
    "EnvTaken",
    "PodTooLarge",
    "NamespaceUnknown",
  ],
  errored: ["InvalidReview", "TooLarge", "Aborted", "Overloaded", "InternalError"],
} as const;

export type AdmissionOutcome = keyof typeof ADMISSION_REASONS;
export type UnchangedReason = (typeof ADMISSION_REASONS)["unchanged"][number];
export type DenialReason = (typeof ADMISSION_REASONS)["denied"][number];
export type FailureReason = (typeof ADMISSION_REASONS)["errored"][number];
export type AdmissionReason = (typeof ADMISSION_REASONS)[AdmissionOutcome][number];

/** Reason for a rejection, and a message that names the mistake, its place, and the fix. */
export interface Denial {
  readonly reason: DenialReason;
  readonly message: string;
}
