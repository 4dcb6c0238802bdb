import type { RolloutReason, SyncReason } from "../reasons.ts";

/** The content of the status. `stored-status.ts` defines how this version and older ones store it. */
export interface ClassStatus {
  /** Generation of the class that the status describes. */
  readonly observedClassGeneration: number;
  readonly conditions: readonly Condition[];
  /** RFC 3339. While nothing else changes, rewritten at most hourly, so that an uneventful poll writes nothing. */
  readonly lastSuccessfulCheckTime?: string;
  /** Value of the class's `refresh` annotation that the worker answered last, cut after {@link REFRESH_CHARACTERS}. */
  readonly observedRefresh?: string;
  /** Number of the desired Secrets that are up to date. */
  readonly syncedSecrets: number;
  readonly desiredSecrets: number;
  readonly secrets: readonly SecretStatus[];
  /** Present only for a class without Secrets that a workload with restart requests uses. */
  readonly objects?: readonly ObjectStatus[];
  /** One entry for each namespace to which the class copies its Secrets, sorted by name; absent if the class names none. */
  readonly copies?: readonly CopyStatus[];
}

export type Condition = ReadinessCondition | SyncCondition | RotatedCondition;

export interface SecretStatus {
  readonly name: string;
  readonly state: SyncReason;
  readonly message?: string;
  /**
   * Hash of the part of the class that the Secret was last written from. {@link UNKNOWN_SPEC}: it was written from another spec than the
   * current one. Absent: the worker that wrote it stored no hash, so only the generation tells.
   */
  readonly specHash?: string;
  readonly data: readonly KeyStatus[];
}

/** A key of a Secret, with the content that the Secret has under it. */
export interface KeyStatus {
  readonly key: string;
  /** `secret/DemoSecret`; absent if no object of the class produces the file. */
  readonly object?: string;
  /** Version of the Secret's content; absent before the first write. */
  readonly version?: string;
  /** RFC 3339: time at which the worker replaced another version with this one; absent if the worker has seen no other version. */
  readonly since?: string;
  readonly updated?: string;
  readonly expires?: string;
  readonly notBefore?: string;
  /**
   * Why the content differs from the vault; absent if it does not. `PartialSync`: held back until every object of the Secret is available.
   */
  readonly state?: SyncReason;
  readonly message?: string;
}

export interface ReportedReason {
  readonly reason: SyncReason;
  readonly message: string;
}

/** Reports `Synced` in the terms of other tools. If the reconcile after an edit takes long, it reports that there is no result yet. */
export interface ReadinessCondition extends AnyCondition {
  readonly type: "Ready" | "Reconciling" | "Stalled";
  readonly reason: SyncReason | "Progressing";
}

export interface SyncCondition extends AnyCondition {
  readonly type: "Synced" | "Fresh" | "Guarded";
  readonly reason: SyncReason;
}

/** Reports whether the pods of the workloads that use the class have the versions of its Secrets. */
export interface RotatedCondition extends AnyCondition {
  readonly type: "Rotated";
  readonly reason: RolloutReason;
}

/** Content of a condition of any type. */
export type Said = Pick<SyncCondition, "status" | "reason" | "message">;

/** State of the copies in one namespace. A closed set: the how-to has a row for each. */
export type CopyState =
  | "Synced"
  | "Waiting"
  | "Contested"
  | "Failed"
  | "Conflict"
  | "NotGranted"
  | "NotServed"
  | "Terminating"
  | "SwitchedOff";

/** State of the copies in one namespace. */
export interface CopyStatus {
  readonly namespace: string;
  readonly state: CopyState;
  /** Names of the Secrets whose copies are not `Synced`; absent if the state applies to the whole namespace. */
  readonly secrets?: readonly string[];
}

/** An object of a class as a pod mounts it, and the version that a new pod gets. */
export interface ObjectStatus {
  /**
   * As the driver names it: `secret/DemoSecret`, or `secret/DemoSecret/0` for an object with a history. Two entries of a class can have the
   * same name.
   */
  readonly object: string;
  /** Absent if it was never known. */
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  /** RFC 3339: pods that are created later mount this version. Absent if unknown. */
  readonly since?: string;
  /**
   * URL of the vault, such as `https://shop.vault.azure.net`. The version of an object tells nothing about an object of the same name in
   * another vault.
   */
  readonly vault?: string;
  /** Why the vault does not return the object now; absent if it does. The version is then from an earlier check. */
  readonly state?: SyncReason;
  readonly message?: string;
}

export interface AnyCondition {
  readonly status: "True" | "False" | "Unknown";
  readonly message: string;
  readonly lastTransitionTime: string;
}
