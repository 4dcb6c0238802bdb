/**
 * Why an admission review was answered as it was, by outcome. A closed set: the same word stands in the response,
 * the metric label and the log field.
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

/** What is wrong, where, and what to write instead. */
export interface Denial {
  readonly reason: DenialReason;
  readonly message: string;
}
