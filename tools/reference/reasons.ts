/** What the page of reasons says of each word; what the words are, and which outcome or type each has, the code says. */
import { ADMISSION_REASONS, type AdmissionReason } from "../../src/domain/admission/reasons.ts";
import type { EventReason } from "../../src/domain/event-reasons.ts";
import { EVENTS } from "../../src/domain/events.ts";
import type { SyncReason } from "../../src/domain/reasons.ts";
import type { RolloutReason } from "../../src/domain/rollout/reasons.ts";
import { code, type Places, table } from "./page.ts";

interface SyncWords {
  readonly means: string;
  /** Empty where there is nothing to do. */
  readonly fix: string;
  /** When it is tried again. */
  readonly again: string;
}

const SYNC: Readonly<Record<SyncReason, SyncWords>> = {
  Synced: { means: "every Secret matches the vault", fix: "", again: "next poll" },
  PartialSync: {
    means:
      "some Secrets are up to date; `status.secrets` has state and reason of each. About a key: its newer version waits for the Secret's other objects",
    fix: "see the state of each",
    again: "backoff, or as the failure says",
  },
  Unreachable: {
    means:
      "no usable answer from the vault, from Entra, from the node's metadata service, from the API server or from a proxy; the message names which. About a Secret: the API server did not accept it yet",
    fix: "check name, cloud, DNS, firewall, proxy",
    again: "backoff",
  },
  Throttled: {
    means:
      "the vault answers 429, or the API server for a Secret. In the condition `Fresh`: the vault throttles, so the class is polled less often",
    fix: "poll less often, spread objects over more vaults",
    again: "after `Retry-After`, otherwise backoff",
  },
  Unauthorized: {
    means: "no token, or the vault rejects it",
    fix: "correct `clientid`, `clientsecret` or `tenantID`; with workload identity add the federated credential in the message",
    again: "next poll",
  },
  Forbidden: {
    means:
      "the identity may not read the object; or the vault refuses the cluster's network; or the API server or a policy refused the Secret",
    fix: "grant Key Vault Secrets User, or Get on secrets; admit the cluster's network; see the named policy",
    again: "next poll; backoff if the API server refused",
  },
  ObjectNotFound: {
    means: "the vault has no such object or version",
    fix: "create it, or correct `objectName` or `objectVersion`",
    again: "next poll",
  },
  ObjectDisabled: { means: "the version is disabled", fix: "enable it, or name another version", again: "next poll" },
  ObjectExpired: {
    means: "the vault refuses the version because it has expired; or, as an event, the vault still serves it and the worker syncs it",
    fix: "set a new version",
    again: "next poll",
  },
  ObjectNotYetValid: {
    means: "the vault refuses the version because it is not valid yet; or, as an event, the vault still serves it and the worker syncs it",
    fix: "change its activation date, or wait",
    again: "next poll",
  },
  InvalidClass: {
    means: "parameters or `secretObjects` are wrong, or a synced class has another provider now; its Secrets stay",
    fix: "correct the named field",
    again: "next poll; backoff for a wrong `secretObject`",
  },
  InvalidObject: {
    means: "an entry of `objects` is wrong or not supported in this version; or the API server refused the Secret",
    fix: "correct the named entry",
    again: "next poll; backoff if the API server refused",
  },
  UnsupportedApiVersion: {
    means: "the vault does not know the requested version of Key Vault's API; the message names both",
    fix: "set [`keyVaultAPIVersion`](../how-to/use-a-custom-cloud.md#1-describe-the-cloud) in the cloud file",
    again: "next poll",
  },
  CredentialsMissing: {
    means: "the credentials Secret is missing, lacks a key, or has a name that the worker may not read",
    fix: "create it with `clientid` and `clientsecret`, or see `--credentials-secret-names`",
    again: "backoff",
  },
  IdentityUnavailable: {
    means:
      "no identity for the class: no ServiceAccount or several, no such account, no such identity of the node, one that only mounts can use, or one that `--allowed-identity-modes` excludes",
    fix: "name the account in the class's `service-account` annotation, assign the identity to the node, or follow the message",
    again: "backoff while an account is missing, otherwise next poll",
  },
  Conflict: {
    means: "someone else, another class or the CSI driver's own sync owns the Secret",
    fix: "delete it, choose another `secretName`, have it [taken over](../how-to/migrate-from-the-drivers-sync.md), or switch that sync off",
    again: "backoff; at once when that sync is switched off",
  },
  ForbiddenType: { means: "Secrets of that type are never written, or (TLS) not in this version", fix: "use `Opaque`", again: "backoff" },
  Contested: {
    means: "someone changes or deletes the Secret after each repair; from the fourth repair on the worker waits up to a minute",
    fix: "stop the named writer, or choose another `secretName`",
    again: "after a minute without a change",
  },
  Stale: {
    means:
      "in the condition `Fresh`: no check has succeeded for longer than the class's `max-stale`, or for two poll intervals without a failure",
    fix: "see the reason in the message",
    again: "as that reason",
  },
  TooLarge: { means: "the Secret would exceed 1 MiB", fix: "move entries to another `secretObject`", again: "backoff" },
  Frozen: {
    means:
      "the class CRD has been missing or damaged for 10 s, so the worker changes nothing because of classes; the event is on the worker's Deployment",
    fix: "apply the CRD again, or let `--heal=crds` do it",
    again: "when the CRD is healthy",
  },
  GuardrailsMissing: {
    means:
      "in the condition `Guarded`, and an event on the worker's Deployment: a policy that limits the worker is missing, not bound, or only warns; or another policy refuses the worker's tests first. With `--secret-access=blind` the worker exits",
    fix: "apply `manifests/policies`, bound with the action `Deny`; exempt the worker in the policy that the message names",
    again: "after every change of a project policy or binding, and hourly",
  },
  SwitchedOff: {
    means:
      "the class does not sync: its annotation `sync: never`, `--sync-mode=never` or `--sync-secret=false`. Its Secrets stay; `Synced` and `Fresh` are `Unknown`. A class that never had a status gets none",
    fix: "if not intended, remove the annotation or setting",
    again: "at once when it is switched on",
  },
};

const EVENT: Readonly<Record<EventReason, string>> = {
  SecretRepaired:
    "someone edited or deleted a Secret, and the worker restored it. Names the last field manager with the time; only the API server's audit log knows who deleted it",
  SecretReplaced:
    "the worker deleted and recreated a Secret, because a type or an immutable Secret cannot be changed. Additions by others are lost",
  ObjectExpiring: "an object of the class expires within `--expiry-warning`",
  ComponentHealed: "the worker restored an edited or deleted component. Names the fields, never their values, and the last manager",
  ComponentDamaged:
    "a part of the install is damaged and not healed: roles, policies, the Namespace, or an immutable field. Apply the manifests again",
  ComponentRestarted: "the worker restarted a workload of the install whose ServiceAccount was recreated: its pods had invalid tokens",
  InvalidTlsOption: "the request for a certificate on a Gateway or Ingress is invalid: correct the named field",
  TlsConflict:
    "another writer occupies the place of a certificate of a Gateway or Ingress: see [conflicts](gateway-certificates.md#conflicts)",
  CertificateNotSynced: "the class made for a Gateway or Ingress does not sync: see the reason in the message",
  ComponentTolerated: "a platform changed a field of a component that it may change: see [healing](healing.md#what-counts-as-damage)",
};

/** In an event on the workload, in the condition `Rotated` of the classes, or in both. */
const RESTART: Readonly<Record<RolloutReason, { readonly where: "event" | "condition" | "both"; readonly means: string }>> = {
  Restarted: { where: "event", means: "the stamp was set, and the controller replaces the pods" },
  Waiting: {
    where: "both",
    means: "it waits for the workload that the message names, or for `--max-rollouts`",
  },
  Restarting: { where: "condition", means: "a restart is in progress, or waits for its turn" },
  Rotated: { where: "both", means: "all pods have the versions that the Secrets have, and stay ready with them" },
  RolloutFailed: {
    where: "both",
    means:
      "the named workload did not become ready in time, or does not stay ready; its namespace waits. Check its pods; the new value may be wrong",
  },
  RestartsPaused: { where: "both", means: "restarts of the workload, its Namespace or the cluster are paused: the message names which" },
  WindowClosed: { where: "both", means: "it waits for its window: the message has the time" },
  InvalidWindow: {
    where: "both",
    means: "`restart-window` of the workload or its Namespace is invalid, so no restart begins: the message has the error",
  },
  DisruptionBudget: {
    where: "both",
    means: "the named PodDisruptionBudget allows no disruption; with `--respect-disruption-budgets`",
  },
  RestartBlocked: {
    where: "both",
    means:
      "the API server does not accept the restart: an admission webhook is down, or a policy refuses it for a workload that was not ready. The worker retries, finally every minute; no other workload waits",
  },
  DryRun: { where: "both", means: "it would be restarted now; `--restart-mode=dry-run` restarts nothing" },
  Paused: { where: "both", means: "a paused Deployment is not restarted: resume it" },
  Degraded: {
    where: "both",
    means: "Argo Rollouts aborted an update of the Rollout, and a restart would try it again: fix, undo or retry it",
  },
  OnDelete: { where: "both", means: "the update strategy replaces no pods: delete them" },
  Partitioned: {
    where: "both",
    means: "the partition of a StatefulSet protects pods with older versions: lower it",
  },
  AwaitingFiles: {
    where: "both",
    means: "it waits until the driver has updated the files of its pods, for `--mounted-files-grace` at most",
  },
  VersionsUnknown: {
    where: "condition",
    means: "the versions of a workload's pods are unknown now: the message names workload and cause",
  },
  NoVersions: {
    where: "both",
    means: "it asks for restarts but uses no class and no synced Secret, or only classes that are switched off or another provider's",
  },
};

/** `http`: 200 where absent. */
const ADMISSION: Readonly<Record<AdmissionReason, { readonly means: string; readonly http?: string }>> = {
  Injected: { means: "the webhook added missing parts" },
  AlreadyInjected: { means: "the pod has everything already" },
  NotOptedIn: { means: '`inject` is absent or `"false"`' },
  MirrorPod: { means: "the kubelet's copy of a static pod, which nothing can change" },
  Unsupported: { means: "not the creation of a pod" },
  InvalidAnnotation: { means: "a value is wrong; the message says what to write" },
  UnknownAnnotation: { means: "an unknown key under the project's prefix, with `--strict-annotations`" },
  ClassRequired: { means: "`inject` without `secret-provider-class`" },
  ContainerNotFound: { means: "`containers` names a container that the pod lacks" },
  VolumeNameTaken: {
    means:
      "another volume has the name; or the pod's own volume of the class, under any name, has another credentials reference than the default",
  },
  MountPathTaken: { means: "a container has another mount or device at the path, inside it, or read-only around it" },
  EnvTaken: { means: "a variable of `env-from` collides with one that the container has" },
  PodTooLarge: {
    means: "its containers times its classes and Secrets are more than 2000 mounts and sources of variables, or 1 MiB of paths and names",
  },
  NamespaceUnknown: { means: "the Namespace, which may hold defaults, could not be read; controllers try again" },
  InvalidReview: { means: "not an AdmissionReview of version v1", http: "400" },
  TooLarge: { means: "the body exceeds 7 MiB, 400000 values or 200 levels", http: "413" },
  Aborted: { means: "the connection ended before the body was complete, or the body took more than two seconds", http: "400, 408" },
  Overloaded: {
    means: "too many reviews or bytes at once, most of them from this sender; the API server retries after a second (`Retry-After`)",
    http: "429",
  },
  InternalError: { means: "a bug: the webhook's log has the request's uid", http: "500" },
};

export function reasonPlaces(): Places {
  return {
    "sync-reasons": table(
      ["Reason", "Meaning", "What to do", "Tried again"],
      Object.entries(SYNC).map(([reason, { means, fix, again }]) => [code(reason), means, fix, again]),
    ),
    events: table(
      ["Event", "Type", "Meaning"],
      Object.entries(EVENT).map(([reason, means]) => [code(reason), typeOf(reason as EventReason), means]), // A key of the table.
    ),
    restarts: table(
      ["Restart", "Where", "Type", "Meaning"],
      Object.entries(RESTART).map(([reason, { where, means }]) => [code(reason), where, typeOf(reason as RolloutReason), means]), // The same.
    ),
    "admission-reasons": table(
      ["Outcome", "Reason", "HTTP", "Meaning"],
      Object.entries(ADMISSION_REASONS).flatMap(([outcome, reasons]) =>
        reasons.map((reason) => [code(outcome), code(reason), ADMISSION[reason].http ?? "200", ADMISSION[reason].means]),
      ),
    ),
  };
}

/** Empty where the word stands in a condition only. */
function typeOf(reason: EventReason | RolloutReason): string {
  return EVENTS[reason]?.type ?? "";
}
