import type { VaultErrorCode } from "./ports/vault-error.ts";

/**
 * Words in events and conditions of this project, and which of them are events. `docs/reference/reasons.md` and `events.md` have a row for
 * each.
 */

export interface EventFacts {
  readonly type: "Normal" | "Warning";
  /**
   * Object of the event: a SecretProviderClass, a workload that opted in to restarts, a Gateway or Ingress, or the worker's own Deployment.
   */
  readonly on: "class" | "workload" | "gateway" | "worker" | "class, worker";
}

const normal = (on: EventFacts["on"]): EventFacts => ({ type: "Normal", on });
const warning = (on: EventFacts["on"]): EventFacts => ({ type: "Warning", on });

/** Reasons why a class is synced or not. Condition, event, metric label, and log field use the same word. */
const SYNC = {
  Synced: normal("class"),
  PartialSync: warning("class"),
  Unreachable: warning("class"),
  Throttled: warning("class"),
  Unauthorized: warning("class"),
  Forbidden: warning("class"),
  ObjectNotFound: warning("class"),
  ObjectDisabled: warning("class"),
  ObjectExpired: warning("class"),
  ObjectNotYetValid: warning("class"),
  InvalidClass: warning("class"),
  InvalidObject: warning("class"),
  UnsupportedApiVersion: warning("class"),
  CredentialsMissing: warning("class"),
  IdentityUnavailable: warning("class"),
  Conflict: warning("class"),
  ForbiddenType: warning("class"),
  Contested: warning("class, worker"),
  Stale: warning("class"),
  TooLarge: warning("class"),
  Frozen: warning("worker"),
  GuardrailsMissing: warning("worker"),
  SwitchedOff: normal("class"),
} satisfies Record<string, EventFacts | undefined>;

/** Things that happened. The sync reasons describe a state instead. */
const EVENT = {
  /** A user edited or deleted a synced Secret, and the worker restored it. */
  SecretRepaired: warning("class"),
  /** The worker deleted and recreated a Secret, because the API server does not allow changes of the type or of immutable content. */
  SecretReplaced: warning("class"),
  /** The class was lost or truncated with its CRD, and the worker restored it from its snapshot. */
  ClassRestored: normal("class"),
  /** An object of the class expires soon. */
  ObjectExpiring: warning("class"),
  /** A user edited or deleted a component of the install, and the worker restored it to the state that its installer applied. */
  ComponentHealed: warning("worker"),
  /** The worker restarted a workload of the install, because its ServiceAccount was recreated. */
  ComponentRestarted: warning("worker"),
  /** A part of the install is damaged, and the worker does not heal it. */
  ComponentDamaged: warning("worker"),
  /** A platform changed a component within the allowed limits, and the worker keeps the change. */
  ComponentTolerated: normal("worker"),
  /** A Gateway or an Ingress requests a certificate in an invalid way. */
  InvalidTlsOption: warning("gateway"),
  /** Another writer's content is in the place of the certificate of a Gateway or an Ingress. */
  TlsConflict: warning("gateway"),
  /** The class that was made for a Gateway or an Ingress is not synced. */
  CertificateNotSynced: warning("gateway"),
} satisfies Record<string, EventFacts | undefined>;

/** Reasons of events on workloads and of the condition `Rotated`. `undefined`: only a condition. */
const ROLLOUT = {
  /** The worker set the stamp, and the controller of the workload replaces its pods. */
  Restarted: normal("workload"),
  /** A restart is due, and waits for another one. */
  Waiting: normal("workload"),
  /** A restart is in progress, or waits for its turn. */
  Restarting: undefined,
  /** The pods have the current versions, and are stable with them. */
  Rotated: normal("workload"),
  /** The workload was not ready in time after its restart, or did not stay ready. Nothing else in the namespace restarts. */
  RolloutFailed: warning("workload"),
  /** No restart begins, because a user paused restarts. */
  RestartsPaused: normal("workload"),
  /** A restart is due, and waits for its window. */
  WindowClosed: normal("workload"),
  /** The setting of the restart window is invalid, so the workload never restarts. */
  InvalidWindow: warning("workload"),
  /** A restart is due, but a PodDisruptionBudget of its pods allows none. */
  DisruptionBudget: normal("workload"),
  /** A restart is due, but the API server rejects it. */
  RestartBlocked: warning("workload"),
  /** A restart would begin now, without the dry run. */
  DryRun: normal("workload"),
  /** A paused Deployment would accept the stamp but replace no pods. */
  Paused: warning("workload"),
  /** Argo Rollouts aborted the update of a Rollout, and would retry it because of the stamp. */
  Degraded: warning("workload"),
  /** People must replace the pods of an `OnDelete` workload. */
  OnDelete: warning("workload"),
  /** The partition of a StatefulSet keeps pods at older versions. */
  Partitioned: warning("workload"),
  /** A restart is due, after the driver has updated the files of its pods. */
  AwaitingFiles: normal("workload"),
  /** The versions that its pods have, or will get, are currently unknown. */
  VersionsUnknown: undefined,
  /** The workload opted in to restarts, but uses nothing with known versions. */
  NoVersions: warning("workload"),
} satisfies Record<string, EventFacts | undefined>;

export const EVENTS: Readonly<Record<EventWord, EventFacts | undefined>> = { ...SYNC, ...EVENT, ...ROLLOUT };
export type SyncReason = keyof typeof SYNC;
export type EventReason = keyof typeof EVENT;
export type RolloutReason = keyof typeof ROLLOUT;
export type EventWord = SyncReason | EventReason | RolloutReason;
export const SYNC_REASONS = Object.keys(SYNC) as readonly SyncReason[]; // The keys of the table.
export const EVENT_REASONS = Object.keys(EVENT) as readonly EventReason[];
export const ROLLOUT_REASONS = Object.keys(ROLLOUT) as readonly RolloutReason[];

const REASONS: Readonly<Record<VaultErrorCode, SyncReason>> = {
  NotFound: "ObjectNotFound",
  Disabled: "ObjectDisabled",
  Expired: "ObjectExpired",
  NotYetValid: "ObjectNotYetValid",
  Unauthorized: "Unauthorized",
  IdentityUnavailable: "IdentityUnavailable",
  Forbidden: "Forbidden",
  NetworkForbidden: "Forbidden",
  Throttled: "Throttled",
  Unreachable: "Unreachable",
  UnsupportedApiVersion: "UnsupportedApiVersion",
  Invalid: "InvalidObject",
};

/** Returns the reason that condition, event, and metric use for a refusal of the vault. */
export function vaultReason(code: VaultErrorCode): SyncReason {
  return REASONS[code];
}
