/** Text of the reasons page about each word. The words, and their outcomes or types, come from the code. */
import { ADMISSION_REASONS, type AdmissionReason } from "../../src/domain/admission/reasons.ts";
import { EVENTS, type EventReason, type RolloutReason, type SyncReason } from "../../src/domain/reasons.ts";
import { code, type Places, table } from "./page.ts";

interface SyncWords {
  readonly means: string;
  /** Empty if the user need not do anything. */
  readonly fix: string;
  /** Time of the next attempt. */
  readonly again: string;
}

const SYNC: Readonly<Record<SyncReason, SyncWords>> = {
  Synced: { means: "every Secret matches the vault", fix: "", again: "next poll" },
  PartialSync: {
    means:
      "some Secrets of the class are up to date, and others are not. If the class has no Secrets: some of its objects are available, and others are not. The status gives the reason for each of the others. As the reason of a key in `status.secrets[].data`: the vault has a newer version, which the worker does not write until all objects of the Secret are available",
    fix: "act on the reason of each failed Secret or object",
    again:
      "as for the reason of the failed Secret. With several reasons, the worker waits for the next poll only if none of them requires an earlier retry",
  },
  Unreachable: {
    means:
      "the vault, Entra, the node's metadata service, the API server, or a proxy does not give a usable response. The message states which one. As the reason of a Secret: the API server has not accepted the Secret yet",
    fix: "check the connection to the service in the message: DNS, firewall, and proxy. For a vault, also check `keyvaultName` and `cloudName`",
    again: "backoff",
  },
  Throttled: {
    means:
      "the vault returns status 429, or the API server returns it when the worker writes the Secret. In the condition `Fresh`: the worker polls the class less often, because the vault throttles requests",
    fix: "if the vault returns the status, set a longer `--rotation-poll-interval`, or spread the objects across more vaults. If the API server returns it, wait",
    again: "after the time in `Retry-After`; without this header, backoff",
  },
  Unauthorized: {
    means: "Entra does not issue a token, or the vault rejects the token",
    fix: "correct `clientid`, `clientsecret`, or `tenantID`. For workload identity, add the federated credential that the message specifies",
    again: "next poll",
  },
  Forbidden: {
    means:
      "the identity lacks permission to read the object, the vault blocks the cluster's network, or the API server or a policy rejected the Secret",
    fix: "if the identity lacks permission, grant it the role or the permission in the message. If the vault blocks the network, allow the cluster's network in the vault's firewall. If a policy of your own rejected the Secret, change that policy. If the API server or a policy of the project rejected the Secret, reapply the project's manifests",
    again: "next poll; backoff if the API server rejected the Secret",
  },
  ObjectNotFound: {
    means: "the vault does not have the object or the object version",
    fix: "create the object, or correct `objectName` or `objectVersion`",
    again: "next poll",
  },
  ObjectDisabled: {
    means: "the object version is disabled in the vault",
    fix: "enable the version, or specify another version",
    again: "next poll",
  },
  ObjectExpired: {
    means:
      "the vault does not serve the object version, because it has expired. As an event: the version has expired, but the vault still serves it, and the worker syncs it",
    fix: "add a new version",
    again: "next poll",
  },
  ObjectNotYetValid: {
    means:
      "the vault does not serve the object version, because it is not valid yet. As an event: the version is not valid yet, but the vault already serves it, and the worker syncs it",
    fix: "if the activation date of the version is wrong, change it. Otherwise, wait",
    again: "next poll",
  },
  InvalidClass: {
    means:
      "`parameters` or `secretObjects` is invalid, the class exceeds a [limit](secret-provider-class.md#limits), someone changed the provider of a synced class, or the worker pauses the class after crashes. The worker keeps the Secrets of the class",
    fix: "if the message contains a field, correct that field. Otherwise, follow the [runbook](../runbooks/InvalidClass.md)",
    again: "next poll; backoff if an entry of `secretObjects` is invalid; for a paused class, at the time in the message",
  },
  InvalidObject: {
    means:
      "an entry of `objects` is invalid or not supported in this version of the worker, the content of an object is not in the form that the class requires (for example, the value is not base64 despite `objectEncoding: base64`, or a function in `secretData` fails), or the API server rejected the Secret as invalid",
    fix: "if the entry in the message is wrong, correct it. If the content of the object is wrong, add a correct version to the vault",
    again: "next poll; backoff if the API server rejected the Secret, or if only its values cannot be computed",
  },
  UnsupportedApiVersion: {
    means:
      "the vault does not support the requested Key Vault API version. The message gives the requested version and the newest supported version",
    fix: "set [`keyVaultAPIVersion`](../how-to/use-a-custom-cloud.md#1-describe-the-cloud) in the cloud file",
    again: "next poll",
  },
  CredentialsMissing: {
    means:
      "the credentials Secret does not exist, lacks a key, or contains a placeholder, or the worker has no permission to read a Secret of that name",
    fix: "if the Secret is missing, incomplete, or contains a placeholder, write it with the keys `clientid` and `clientsecret`. If the worker is not allowed to read the Secret, add its name to [`--credentials-secret-names`](settings.md) and the worker's ClusterRole",
    again: "backoff",
  },
  IdentityUnavailable: {
    means:
      "the class has no usable identity. For example, the worker cannot tell which ServiceAccount to use, the ServiceAccount or the node identity does not exist, only mounts can use the identity, or `--allowed-identity-modes` excludes the identity",
    fix: "follow the message: for example, set the ServiceAccount in the class's annotation `service-account`, or assign the identity to the node",
    again: "backoff while a ServiceAccount is missing, otherwise next poll",
  },
  Conflict: {
    means: "another writer, another class, or the CSI driver's own sync owns the Secret",
    fix: "if the driver's sync owns the Secret, turn off that sync. If another class owns it, change `secretName` in one of the two classes. Otherwise, choose another `secretName`, let the worker [take over the Secret](../how-to/migrate-from-the-drivers-sync.md), or delete the Secret if nobody needs it",
    again: "backoff, or immediately after the driver's sync is turned off",
  },
  ForbiddenType: {
    means: "the worker never writes Secrets of this type",
    fix: "set `type: Opaque` in the entry of `secretObjects`",
    again: "backoff",
  },
  Contested: {
    means:
      "someone changes or deletes the Secret after each repair. From the fourth repair on, the worker waits up to a minute before each repair",
    fix: "stop the writer that the message gives, or choose another `secretName`",
    again: "the worker repairs the Secret after each wait. The reason disappears after a minute without a change",
  },
  Stale: {
    means:
      "in the condition `Fresh`: the last successful check is older than the class's `max-stale`, or no check has finished for two poll intervals",
    fix: "see the reason that the message gives",
    again: "as for the reason in the message",
  },
  TooLarge: {
    means:
      "the Secret would exceed 1 MiB, a selector selects too many objects, or the values of all objects of the class together exceed 8 MiB. The message contains the [limit](secret-provider-class.md#limits) that applies",
    fix: "move keys to another entry of `secretObjects`, select fewer objects, or split the class into several classes",
    again: "backoff; next poll if the values of the class are too large",
  },
  Frozen: {
    means:
      "the CRD of classes has been missing or damaged for 10 s, so the worker does not act on classes. The worker posts the event on its own Deployment",
    fix: "if `--heal` includes `crds`, the worker restores the CRD. Otherwise, reapply it",
    again: "as soon as the CRD is healthy",
  },
  GuardrailsMissing: {
    means:
      "a policy that limits the worker is missing, has no binding, or only warns. The worker also reports this reason if it cannot test such a policy, because another policy or webhook denies the test first, or because the API server has not processed the test for 10 minutes, for example while a webhook does not respond. The reason appears in the condition `Guarded` and in an event on the worker's Deployment. With `--secret-access=blind`, the worker exits, unless the API server has merely not processed a test",
    fix: "if another policy or webhook denies the test, exempt the worker from it; the message gives its name. If the API server has not processed the test, resolve the error in the message. Otherwise, apply `manifests/policies`, whose bindings have the action `Deny`",
    again: "after every change to a policy or binding of the project, and hourly; each minute while the API server does not process a test",
  },
  SwitchedOff: {
    means:
      "`sync: never`, `--sync-mode=never`, or `--sync-secret=false` turned off the sync of the class, or the AKS add-on App Routing created the class and has the CSI driver write its Secrets. The worker keeps the Secrets, and `Synced` and `Fresh` are `Unknown`. A class that has no status does not get one",
    fix: "if the worker should sync the class, remove the annotation or setting. A class of App Routing needs the annotation `keyvault-injector.dev/sync: always`",
    again: "immediately after the sync is turned on",
  },
};

const EVENT: Readonly<Record<EventReason, string>> = {
  SecretRepaired:
    "the worker restored a Secret. The message gives the time and the field manager of the last edit. Only the API server's audit log shows who deleted a Secret",
  SecretReplaced: "the worker recreated a Secret to change its type or immutable content. Keys that others added are lost",
  ClassRestored:
    "the worker recreated a class that was deleted with its CRD, or restored fields of the class that a damaged CRD had removed",
  ObjectExpiring: "an object of the class expires within the time set by `--expiry-warning`",
  ComponentHealed: "the worker restored an edited or deleted component. The message gives the changed fields and their last field manager",
  ComponentDamaged:
    "a component is damaged, and the worker cannot heal it: for example, a role, a policy, the Namespace of the install, or an immutable field. Reapply the manifests",
  ComponentRestarted: "the worker restarted a workload of the install, because its ServiceAccount was recreated",
  InvalidTlsOption: "a Gateway or Ingress has an invalid certificate request. Correct the field in the message",
  TlsConflict: "another writer uses a name or a field that a certificate needs. See [conflicts](gateway-certificates.md#conflicts)",
  CertificateNotSynced:
    "the class that the worker created for a Gateway or Ingress does not sync, or the API server rejects a write for the certificate. The message gives the reason",
  ComponentTolerated:
    "a platform, such as AKS, changed a field that it is allowed to change. See [what counts as damage](healing.md#what-counts-as-damage)",
};

/** Place of the word: an event on the workload, the condition `Rotated` of the classes, or both. */
const RESTART: Readonly<Record<RolloutReason, { readonly where: "event" | "condition" | "both"; readonly means: string }>> = {
  Restarted: { where: "event", means: "the worker wrote the stamp on the workload, so the workload's controller replaces the pods" },
  Waiting: {
    where: "both",
    means: "the workload waits for the restart of another workload, or for a free slot under `--max-rollouts`. The message states which",
  },
  Restarting: {
    where: "condition",
    means:
      "at least one workload of the class is restarting or due to restart. If the restart of a workload cannot begin yet, the events of the workload give the reason",
  },
  Rotated: { where: "both", means: "all pods have the current versions of their Secrets and mounted objects, and stay ready" },
  RolloutFailed: {
    where: "both",
    means:
      "the workload in the message did not become ready in time, or does not stay ready. No other restart begins in its namespace. Check the pods, because the new value might be wrong",
  },
  RestartsPaused: { where: "both", means: "restarts are paused for the workload, its Namespace, or the cluster. The message states which" },
  WindowClosed: { where: "both", means: "the workload waits for its restart window, which opens at the time in the message" },
  InvalidWindow: {
    where: "both",
    means:
      "no restart of the workload begins, because the `restart-window` annotation of the workload or of its Namespace is invalid. The message gives the error",
  },
  DisruptionBudget: {
    where: "both",
    means:
      "with `--respect-disruption-budgets`: a PodDisruptionBudget does not allow the restart yet, or the worker cannot read the budgets. The message gives the cause",
  },
  RestartBlocked: {
    where: "both",
    means:
      "the API server does not accept the restart, for example because an admission webhook is down, or because a policy rejects the restart of a workload that was not ready. The worker keeps trying, at intervals that grow to between one and two minutes. Restarts of other workloads continue",
  },
  DryRun: { where: "both", means: "the worker would restart the workload now, but `--restart-mode=dry-run` prevents all restarts" },
  Paused: {
    where: "both",
    means: "the rollout of the workload is paused (`spec.paused`), so the worker does not restart the workload. Resume the rollout",
  },
  Degraded: {
    where: "both",
    means:
      "Argo Rollouts aborted an update of the Rollout, and a restart would retry that update. If the update is good, retry it. Otherwise, fix or undo it",
  },
  OnDelete: {
    where: "both",
    means: "the update strategy of the workload is `OnDelete`, so its controller does not replace the pods. Delete the pods yourself",
  },
  Partitioned: {
    where: "both",
    means:
      "because of the partition of a StatefulSet, its controller does not replace some pods that have older versions. Lower the partition",
  },
  AwaitingFiles: {
    where: "both",
    means: "the workload waits until the driver updates the mounted files of its pods, but no longer than `--mounted-files-grace`",
  },
  VersionsUnknown: {
    where: "condition",
    means: "the worker currently does not know which versions the pods of a workload have. The message gives the workload and the cause",
  },
  NoVersions: {
    where: "both",
    means:
      "the workload requests restarts, but the worker tracks no versions for it. Possible causes: the workload uses no class and no synced Secret, it exceeds a [limit](restarts.md#limits), or all its classes have another provider or have their sync turned off",
  },
};

/** `http` defaults to 200. */
const ADMISSION: Readonly<Record<AdmissionReason, { readonly means: string; readonly http?: string }>> = {
  Injected: { means: "the webhook added the missing parts to the pod" },
  AlreadyInjected: { means: "the pod already has everything that the webhook would add" },
  NotOptedIn: { means: '`inject` is absent or `"false"`' },
  MirrorPod: { means: "the pod is the kubelet's copy of a static pod. Such copies cannot be changed" },
  Unsupported: { means: "the request does not create a pod" },
  InvalidAnnotation: { means: "the value of an annotation is invalid. The message gives the correct form" },
  UnknownAnnotation: { means: "with `--strict-annotations`: an annotation has the project's prefix, but an unknown key" },
  ClassRequired: { means: "`inject` is set, but `secret-provider-class` is missing" },
  ContainerNotFound: { means: "`containers` lists a container that the pod does not have" },
  VolumeNameTaken: {
    means:
      "another volume of the pod already has the name of the injected volume, or the pod's own volume for the class lacks the credentials reference that the webhook expects",
  },
  MountPathTaken: {
    means: "a container already has a mount or device at or below the mount path, or a read-only mount above the mount path",
  },
  EnvTaken: {
    means:
      "a variable from `env-from` has the name of a variable that the container already has, or two Secrets in `env-from` have the same key",
  },
  PodTooLarge: {
    means: "all containers together would have more than 2000 mounts and variable sources, or more than 1 MiB of paths and names",
  },
  NamespaceUnknown: {
    means: "the webhook could not read the Namespace, which might contain defaults. The pod's controller retries the creation",
  },
  InvalidReview: { means: "the body is not an AdmissionReview of version v1", http: "400" },
  TooLarge: { means: "the body is larger than 7 MiB, or has more than 400000 values or 200 nested levels", http: "413" },
  Aborted: {
    means: "the connection ended before the body was complete, or the body took more than two seconds to arrive",
    http: "400, 408",
  },
  Overloaded: {
    means:
      "too many reviews, or too many bytes of reviews, are in progress. To make room, the webhook rejected this review, because its body arrived too slowly or because its sender uses more of the capacity than any other. The header `Retry-After` tells the API server to retry after a second",
    http: "429",
  },
  InternalError: { means: "the webhook has a bug. Its log contains the uid of the request", http: "500" },
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

/** Empty if only a condition contains the word. */
function typeOf(reason: EventReason | RolloutReason): string {
  return EVENTS[reason]?.type ?? "";
}
