import type { RolloutReason, SyncReason } from "../reasons.ts";

/** What the status says. How it is stored, and was by older versions, is `stored-status.ts`'s. */
export interface ClassStatus {
  /** Generation of the class that all of this is about. */
  readonly observedClassGeneration: number;
  readonly conditions: readonly Condition[];
  /** RFC 3339. Rewritten at most hourly while nothing else changes, so that a poll at rest writes nothing. */
  readonly lastSuccessfulCheckTime?: string;
  /** Value of the class's `refresh` annotation that was last answered, cut after {@link REFRESH_CHARACTERS}. */
  readonly observedRefresh?: string;
  /** How many Secrets are as they should be, of those that the class names. */
  readonly syncedSecrets: number;
  readonly desiredSecrets: number;
  readonly secrets: readonly SecretStatus[];
  /** Of a class that mirrors nothing, and that a workload uses which asks for restarts; else absent. */
  readonly objects?: readonly ObjectStatus[];
  /** Of the namespaces that the class names for copies of its Secrets, by name; absent where it names none. */
  readonly copies?: readonly CopyStatus[];
}

export type Condition = ReadinessCondition | SyncCondition | RotatedCondition;

export interface SecretStatus {
  readonly name: string;
  readonly state: SyncReason;
  readonly message?: string;
  /**
   * Of what of the class the Secret was last written from; {@link UNKNOWN_SPEC}: of something else than the class has now. Absent: the worker
   * that wrote it stored none, and the generation alone tells.
   */
  readonly specHash?: string;
  readonly data: readonly KeyStatus[];
}

/** A key of a Secret, and what the Secret holds under it. */
export interface KeyStatus {
  readonly key: string;
  /** `secret/DemoSecret`; absent where no object of the class makes the file. */
  readonly object?: string;
  /** Of what the Secret holds; absent where nothing was written yet. */
  readonly version?: string;
  /** RFC 3339: when the worker wrote this version in the place of another one; absent where it has seen no other. */
  readonly since?: string;
  readonly updated?: string;
  readonly expires?: string;
  readonly notBefore?: string;
  /** Why it is not what the vault has; absent where it is. `PartialSync`: held back until every object of the Secret is there. */
  readonly state?: SyncReason;
  readonly message?: string;
}

export interface Told {
  readonly reason: SyncReason;
  readonly message: string;
}

/** What `Synced` says in the words of other tools, and while an edit is looked at for long, that there is no answer to it yet. */
export interface ReadinessCondition extends AnyCondition {
  readonly type: "Ready" | "Reconciling" | "Stalled";
  readonly reason: SyncReason | "Progressing";
}

export interface SyncCondition extends AnyCondition {
  readonly type: "Synced" | "Fresh" | "Guarded";
  readonly reason: SyncReason;
}

/** Of the workloads that use the class: whether their pods have the versions that its Secrets have. */
export interface RotatedCondition extends AnyCondition {
  readonly type: "Rotated";
  readonly reason: RolloutReason;
}

/** What any condition says, whatever its type. */
export type Said = Pick<SyncCondition, "status" | "reason" | "message">;

/** How the copies in one namespace stand. A closed set; the how-to has a row for each. */
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

/** Of one namespace. */
export interface CopyStatus {
  readonly namespace: string;
  readonly state: CopyState;
  /** Names of the Secrets whose copies are not `Synced`; absent where the state is that of the whole namespace. */
  readonly secrets?: readonly string[];
}

/** An object of a class as a pod mounts it, and the version that a pod gets that is made now. */
export interface ObjectStatus {
  /** As the driver names it: `secret/DemoSecret`, of a history `secret/DemoSecret/0`. Two entries of a class may have the same. */
  readonly object: string;
  /** Absent where it was never known. */
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  /** RFC 3339: pods that are made later mount this version. Absent where nobody knows. */
  readonly since?: string;
  /** Whose object it is, `https://shop.vault.azure.net`: what is known of its version says nothing of one of that name in another vault. */
  readonly vault?: string;
  /** Why the vault does not give it now; absent where it does. What is known of its version is of before. */
  readonly state?: SyncReason;
  readonly message?: string;
}

export interface AnyCondition {
  readonly status: "True" | "False" | "Unknown";
  readonly message: string;
  readonly lastTransitionTime: string;
}
