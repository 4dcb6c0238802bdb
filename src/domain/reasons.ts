import type { VaultErrorCode } from "./ports/vault-error.ts";

/** The words that an event or a condition of ours may have, and which of them are events. `docs/reference/reasons.md` and `events.md` have a row for each. */

export interface EventFacts {
  readonly type: "Normal" | "Warning";
  /** A SecretProviderClass, a workload that asks for restarts, a Gateway or Ingress, or the worker's own Deployment. */
  readonly on: "class" | "workload" | "gateway" | "worker" | "class, worker";
}

const normal = (on: EventFacts["on"]): EventFacts => ({ type: "Normal", on });
const warning = (on: EventFacts["on"]): EventFacts => ({ type: "Warning", on });

/** Why a class is (not) synced: the same word stands in condition, event, metric label and log field. */
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

/** What happened, where the sync reasons say how it stands. */
const EVENT = {
  /** Somebody edited or deleted a mirrored Secret, and it is as it was. */
  SecretRepaired: warning("class"),
  /** A Secret was deleted and made anew, because the API server changes no type and no immutable content. */
  SecretReplaced: warning("class"),
  /** The class was lost or cut with its CRD, and is as its snapshot has it. */
  ClassRestored: normal("class"),
  /** An object of the class expires soon. */
  ObjectExpiring: warning("class"),
  /** A component of the install was edited or deleted, and is as its installer left it. */
  ComponentHealed: warning("worker"),
  /** A workload of the install was restarted, because its ServiceAccount is a new one. */
  ComponentRestarted: warning("worker"),
  /** Something of the install is damaged and is not healed. */
  ComponentDamaged: warning("worker"),
  /** A platform has changed a component within what it may, and that is left. */
  ComponentTolerated: normal("worker"),
  /** A Gateway or an Ingress asks for a certificate in a way that nothing can be made of. */
  InvalidTlsOption: warning("gateway"),
  /** Something that somebody else wrote is where the certificate of a Gateway or an Ingress would go. */
  TlsConflict: warning("gateway"),
  /** The class that was made for a Gateway or an Ingress is not mirrored. */
  CertificateNotSynced: warning("gateway"),
} satisfies Record<string, EventFacts | undefined>;

/** Of events on workloads and of the condition `Rotated`. `undefined`: a condition only. */
const ROLLOUT = {
  /** The stamp was set: the controller of the workload replaces its pods. */
  Restarted: normal("workload"),
  /** It is to be restarted, and waits for another one. */
  Waiting: normal("workload"),
  /** A restart is under way, or waits for its turn. */
  Restarting: undefined,
  /** The pods have the versions that are current, and stay up with them. */
  Rotated: normal("workload"),
  /** Not ready in time after its restart, or not for long: nothing else of the namespace is restarted. */
  RolloutFailed: warning("workload"),
  /** No restart begins: somebody paused them. */
  RestartsPaused: normal("workload"),
  /** It is to be restarted, and waits for its window. */
  WindowClosed: normal("workload"),
  /** What says when it may be restarted is wrong, so that it never is. */
  InvalidWindow: warning("workload"),
  /** It is to be restarted, and a PodDisruptionBudget that covers its pods allows none. */
  DisruptionBudget: normal("workload"),
  /** It is to be restarted, and the API server does not take that. */
  RestartBlocked: warning("workload"),
  /** It would be restarted now. */
  DryRun: normal("workload"),
  /** A paused Deployment would take the stamp and replace nothing. */
  Paused: warning("workload"),
  /** A Rollout whose update Argo Rollouts gave up would try it again with the stamp. */
  Degraded: warning("workload"),
  /** Pods of an `OnDelete` workload are replaced by people. */
  OnDelete: warning("workload"),
  /** The partition of a StatefulSet keeps pods at older versions. */
  Partitioned: warning("workload"),
  /** It is to be restarted, once the driver has brought the files of its pods up to date. */
  AwaitingFiles: normal("workload"),
  /** Which versions its pods have, or get, is not known at the moment. */
  VersionsUnknown: undefined,
  /** Asks for restarts, and uses nothing whose versions are known. */
  NoVersions: warning("workload"),
} satisfies Record<string, EventFacts | undefined>;

export const EVENTS: Readonly<Record<EventWord, EventFacts | undefined>> = { ...SYNC, ...EVENT, ...ROLLOUT };
export type SyncReason = keyof typeof SYNC;
export type EventReason = keyof typeof EVENT;
export type RolloutReason = keyof typeof ROLLOUT;
export type EventWord = SyncReason | EventReason | RolloutReason;
export const SYNC_REASONS = Object.keys(SYNC) as readonly SyncReason[]; // The table's own keys.
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

/** The vault's refusal in the words of condition, event and metric. */
export function vaultReason(code: VaultErrorCode): SyncReason {
  return REASONS[code];
}
