import type { EventReason } from "./event-reasons.ts";
import type { SyncReason } from "./reasons.ts";
import type { RolloutReason } from "./rollout/reasons.ts";

/** The words that an event of ours may have. */
export type EventWord = SyncReason | EventReason | RolloutReason;

export interface EventFacts {
  readonly type: "Normal" | "Warning";
  /** A SecretProviderClass, a workload that asks for restarts, a Gateway or Ingress, or the worker's own Deployment. */
  readonly on: "class" | "workload" | "gateway" | "worker" | "class, worker";
}

const aboutClass: EventFacts = { type: "Warning", on: "class" };
const aboutWorkload: EventFacts = { type: "Warning", on: "workload" };
const aboutGateway: EventFacts = { type: "Warning", on: "gateway" };
const aboutWorker: EventFacts = { type: "Warning", on: "worker" };

/** Every event, by its reason; `undefined`: the word stands in a condition only. `docs/reference/events.md` has a row for each. */
export const EVENTS: Readonly<Record<EventWord, EventFacts | undefined>> = {
  Synced: { type: "Normal", on: "class" },
  PartialSync: aboutClass,
  Unreachable: aboutClass,
  Throttled: aboutClass,
  Unauthorized: aboutClass,
  Forbidden: aboutClass,
  ObjectNotFound: aboutClass,
  ObjectDisabled: aboutClass,
  ObjectExpired: aboutClass,
  ObjectNotYetValid: aboutClass,
  InvalidClass: aboutClass,
  InvalidObject: aboutClass,
  UnsupportedApiVersion: aboutClass,
  CredentialsMissing: aboutClass,
  IdentityUnavailable: aboutClass,
  Conflict: aboutClass,
  ForbiddenType: aboutClass,
  Contested: { type: "Warning", on: "class, worker" },
  Stale: aboutClass,
  TooLarge: aboutClass,
  Frozen: aboutWorker,
  GuardrailsMissing: aboutWorker,
  SwitchedOff: { type: "Normal", on: "class" },
  SecretRepaired: aboutClass,
  SecretReplaced: aboutClass,
  ClassRestored: { type: "Normal", on: "class" },
  ObjectExpiring: aboutClass,
  ComponentHealed: aboutWorker,
  ComponentRestarted: aboutWorker,
  ComponentDamaged: aboutWorker,
  ComponentTolerated: { type: "Normal", on: "worker" },
  InvalidTlsOption: aboutGateway,
  TlsConflict: aboutGateway,
  CertificateNotSynced: aboutGateway,
  Restarted: { type: "Normal", on: "workload" },
  Waiting: { type: "Normal", on: "workload" },
  Restarting: undefined,
  Rotated: { type: "Normal", on: "workload" },
  RolloutFailed: aboutWorkload,
  RestartsPaused: { type: "Normal", on: "workload" },
  WindowClosed: { type: "Normal", on: "workload" },
  InvalidWindow: aboutWorkload,
  DisruptionBudget: { type: "Normal", on: "workload" },
  RestartBlocked: aboutWorkload,
  DryRun: { type: "Normal", on: "workload" },
  Paused: aboutWorkload,
  Degraded: aboutWorkload,
  OnDelete: aboutWorkload,
  Partitioned: aboutWorkload,
  AwaitingFiles: { type: "Normal", on: "workload" },
  VersionsUnknown: undefined,
  NoVersions: aboutWorkload,
};
