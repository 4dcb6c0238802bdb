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
      "only some Secrets are up to date; `status.secrets` gives a reason for each. For a key: the newer version waits for other objects of the Secret",
    fix: "see the reason of each Secret",
    again: "backoff, or as for the reason of the failure",
  },
  Unreachable: {
    means:
      "the vault, Entra, the node's metadata service, the API server, or a proxy does not give a usable response, as the message states. For a Secret: the API server has not accepted it yet",
    fix: "check the vault name, cloud, DNS, firewall, and proxy",
    again: "backoff",
  },
  Throttled: {
    means:
      "the vault, or the API server for a Secret, returns 429. In the condition `Fresh`: the worker polls the class less often because the vault throttles requests",
    fix: "poll less often, or spread objects over more vaults",
    again: "after `Retry-After`, otherwise backoff",
  },
  Unauthorized: {
    means: "Entra does not issue a token, or the vault rejects the token",
    fix: "correct `clientid`, `clientsecret`, or `tenantID`. For workload identity, add the federated credential from the message",
    again: "next poll",
  },
  Forbidden: {
    means:
      "the identity lacks permission to read the object, the vault blocks the cluster's network, or the API server or a policy rejected the Secret",
    fix: "give the identity the role Key Vault Secrets User or the permission Get on secrets, allow the cluster's network, or see the named policy",
    again: "next poll; backoff if the API server rejected it",
  },
  ObjectNotFound: {
    means: "the vault does not have the object or version",
    fix: "create the object, or correct `objectName` or `objectVersion`",
    again: "next poll",
  },
  ObjectDisabled: { means: "the version is disabled", fix: "enable the version, or specify another version", again: "next poll" },
  ObjectExpired: {
    means: "the vault refuses the expired version. As an event: the vault still serves the expired version, and the worker syncs it",
    fix: "add a new version",
    again: "next poll",
  },
  ObjectNotYetValid: {
    means: "the vault refuses a version that is not valid yet. As an event: the vault already serves the version, and the worker syncs it",
    fix: "change the activation date of the version, or wait",
    again: "next poll",
  },
  InvalidClass: {
    means:
      "`parameters` or `secretObjects` is invalid, or the provider of a synced class changed. The worker keeps the Secrets of the class",
    fix: "correct the named field",
    again: "next poll; backoff for an invalid `secretObject`",
  },
  InvalidObject: {
    means: "an entry of `objects` is invalid or not supported in this version, or the API server rejected the Secret",
    fix: "correct the named entry",
    again: "next poll; backoff if the API server rejected it",
  },
  UnsupportedApiVersion: {
    means: "the vault does not support the requested Key Vault API version. The message names both versions",
    fix: "set [`keyVaultAPIVersion`](../how-to/use-a-custom-cloud.md#1-describe-the-cloud) in the cloud file",
    again: "next poll",
  },
  CredentialsMissing: {
    means: "the credentials Secret is missing, lacks a key, or has a name that the worker is not allowed to read",
    fix: "create the Secret with `clientid` and `clientsecret`, or see `--credentials-secret-names`",
    again: "backoff",
  },
  IdentityUnavailable: {
    means:
      "the class has no usable identity: no ServiceAccount or several, a missing ServiceAccount or node identity, an identity that only mounts can use, or an identity that `--allowed-identity-modes` excludes",
    fix: "name the ServiceAccount in the class's annotation `service-account`, assign the identity to the node, or follow the message",
    again: "backoff while a ServiceAccount is missing, otherwise next poll",
  },
  Conflict: {
    means: "another writer, another class, or the CSI driver's own sync owns the Secret",
    fix: "delete the Secret, choose another `secretName`, let the worker [take it over](../how-to/migrate-from-the-drivers-sync.md), or turn off the driver's sync",
    again: "backoff, or immediately after the driver's sync is turned off",
  },
  ForbiddenType: {
    means: "the worker never writes Secrets of this type, or, for TLS, this version of the worker does not support the type",
    fix: "use `Opaque`",
    again: "backoff",
  },
  Contested: {
    means: "someone changes or deletes the Secret after each repair. From the fourth repair on, the worker waits up to a minute",
    fix: "stop the named writer, or choose another `secretName`",
    again: "after a minute without a change",
  },
  Stale: {
    means:
      "in the condition `Fresh`: the last successful check is older than the class's `max-stale`, or no check has finished for two poll intervals",
    fix: "see the reason in the message",
    again: "as for that reason",
  },
  TooLarge: { means: "the Secret would exceed 1 MiB", fix: "move entries to another `secretObject`", again: "backoff" },
  Frozen: {
    means:
      "the class CRD has been missing or damaged for 10 s, so the worker does not act on classes. The worker posts the event on its own Deployment",
    fix: "reapply the CRD, or let `--heal=crds` restore it",
    again: "when the CRD is healthy",
  },
  GuardrailsMissing: {
    means:
      "in the condition `Guarded` and in an event on the worker's Deployment: a policy that limits the worker is missing, is unbound, or only warns, or another policy denies the worker's tests first. With `--secret-access=blind`, the worker exits",
    fix: "apply `manifests/policies` with bindings that have the action `Deny`, or exempt the worker in the policy that the message names",
    again: "after every change of a project policy or binding, and hourly",
  },
  SwitchedOff: {
    means:
      "`sync: never`, `--sync-mode=never`, or `--sync-secret=false` turned off the sync of the class. The worker keeps the Secrets, and `Synced` and `Fresh` are `Unknown`. A class without a status does not get one",
    fix: "to sync the class, remove the annotation or setting",
    again: "immediately after sync is turned on",
  },
};

const EVENT: Readonly<Record<EventReason, string>> = {
  SecretRepaired:
    "the worker restored a Secret that someone edited or deleted. The message names the time and field manager of the last change. Only the API server's audit log shows who deleted a Secret",
  SecretReplaced: "the worker recreated a Secret to change its type or immutable content. Keys that others added are lost",
  ClassRestored: "the worker restored a class that was deleted with its CRD, or the fields that a damaged CRD had removed",
  ObjectExpiring: "an object of the class expires within `--expiry-warning`",
  ComponentHealed:
    "the worker restored an edited or deleted component. The message names the fields (never their values) and the last field manager",
  ComponentDamaged: "a role, a policy, the Namespace, or an immutable field is damaged. Reapply the manifests",
  ComponentRestarted: "the worker restarted a workload of the install, because its ServiceAccount was recreated",
  InvalidTlsOption: "a Gateway or Ingress requests a certificate incorrectly. Correct the named field",
  TlsConflict: "another writer uses the name or field that a certificate needs. See [conflicts](gateway-certificates.md#conflicts)",
  CertificateNotSynced: "the class for a Gateway or Ingress does not sync, for the reason in the message",
  ComponentTolerated: "a platform changed a field that it is allowed to change. See [healing](healing.md#what-counts-as-damage)",
};

/** In an event on the workload, in the condition `Rotated` of the classes, or in both. */
const RESTART: Readonly<Record<RolloutReason, { readonly where: "event" | "condition" | "both"; readonly means: string }>> = {
  Restarted: { where: "event", means: "the worker set the stamp, and the controller replaces the pods" },
  Waiting: {
    where: "both",
    means: "the workload waits for another workload, which the message names, or for `--max-rollouts`",
  },
  Restarting: { where: "condition", means: "a restart is in progress or waits for its turn" },
  Rotated: { where: "both", means: "all pods have the versions in the Secrets, and stay ready" },
  RolloutFailed: {
    where: "both",
    means:
      "the named workload did not become ready in time, or does not stay ready. Restarts in its namespace stop. Check the pods, because the new value might be wrong",
  },
  RestartsPaused: { where: "both", means: "restarts are paused for the workload, its Namespace, or the cluster, as the message states" },
  WindowClosed: { where: "both", means: "the workload waits for its restart window, which opens at the time in the message" },
  InvalidWindow: {
    where: "both",
    means: "no restart begins, because the `restart-window` of the workload or its Namespace is invalid. The message gives the error",
  },
  DisruptionBudget: {
    where: "both",
    means: "with `--respect-disruption-budgets`: the named PodDisruptionBudget allows no disruption",
  },
  RestartBlocked: {
    where: "both",
    means:
      "the API server does not accept the restart, because an admission webhook is down, or a policy rejects the restart of a workload that was not ready. The worker retries, eventually once per minute. Restarts of other workloads continue",
  },
  DryRun: { where: "both", means: "the worker would restart the workload now, but `--restart-mode=dry-run` prevents all restarts" },
  Paused: { where: "both", means: "the workload is paused, so the worker does not restart it. Resume the workload" },
  Degraded: {
    where: "both",
    means: "Argo Rollouts aborted an update of the Rollout, and a restart would retry that update. Fix, undo, or retry the update",
  },
  OnDelete: { where: "both", means: "the update strategy does not replace pods. Delete the pods" },
  Partitioned: {
    where: "both",
    means: "a StatefulSet's partition prevents the replacement of pods with older versions. Lower the partition",
  },
  AwaitingFiles: {
    where: "both",
    means: "the workload waits, for at most `--mounted-files-grace`, until the driver updates the files of its pods",
  },
  VersionsUnknown: {
    where: "condition",
    means: "the versions in the pods of a workload are currently unknown. The message names the workload and the cause",
  },
  NoVersions: {
    where: "both",
    means:
      "the workload requests restarts, but uses no class or synced Secret, or only classes of another provider or classes whose sync is off",
  },
};

/** `http`: 200 where absent. */
const ADMISSION: Readonly<Record<AdmissionReason, { readonly means: string; readonly http?: string }>> = {
  Injected: { means: "the webhook added missing parts" },
  AlreadyInjected: { means: "the pod already has everything" },
  NotOptedIn: { means: '`inject` is absent or `"false"`' },
  MirrorPod: { means: "the pod is the kubelet's copy of a static pod, which cannot be changed" },
  Unsupported: { means: "the request does not create a pod" },
  InvalidAnnotation: { means: "a value is invalid. The message gives the correct form" },
  UnknownAnnotation: { means: "with `--strict-annotations`: a key with the project's prefix is unknown" },
  ClassRequired: { means: "`inject` is set without `secret-provider-class`" },
  ContainerNotFound: { means: "`containers` names a container that the pod does not have" },
  VolumeNameTaken: {
    means:
      "another volume has the name, or the pod's own volume for the class, under any name, has a credentials reference other than the default",
  },
  MountPathTaken: { means: "a container has another mount or device at or below the path, or a read-only mount above it" },
  EnvTaken: { means: "a variable from `env-from` conflicts with a variable that the container already has" },
  PodTooLarge: {
    means: "the mounts and variable sources of all containers exceed 2000, or their paths and names exceed 1 MiB",
  },
  NamespaceUnknown: { means: "the webhook could not read the Namespace, which might contain defaults. Controllers retry" },
  InvalidReview: { means: "the body is not an AdmissionReview of version v1", http: "400" },
  TooLarge: { means: "the body exceeds 7 MiB, 400000 values, or 200 levels", http: "413" },
  Aborted: { means: "the connection ended before the body was complete, or the body took more than two seconds", http: "400, 408" },
  Overloaded: {
    means:
      "the webhook has too many concurrent reviews or bytes, most of them from this sender. The API server retries after a second (`Retry-After`)",
    http: "429",
  },
  InternalError: { means: "a bug in the webhook. Its log contains the uid of the request", http: "500" },
};

export function reasonPlaces(): Places {
  return {
    "sync-reasons": table(
      ["Reason", "Meaning", "What to do", "Retry"],
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
