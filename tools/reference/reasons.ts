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
  Synced: { means: "every Secret is as the class and the vault want it", fix: "", again: "next poll" },
  PartialSync: {
    means:
      "some Secrets are, some are not; `status.secrets` says which and why. Of a key: the vault has a newer version, which waits for the Secret's other objects",
    fix: "see the state of each",
    again: "backoff, or as the failure says",
  },
  Unreachable: {
    means:
      "no usable answer from the vault, from Entra, from the node's metadata service, from the API server or from a proxy; the message names which. Of a Secret: the API server did not take it, and may later",
    fix: "check name, cloud, DNS, firewall, proxy",
    again: "backoff",
  },
  Throttled: {
    means:
      "the vault, or the API server where it is to write a Secret, answers 429; or, of the condition `Fresh`, it throttles others, and polls of the class are further apart for it",
    fix: "poll less often, spread objects over more vaults",
    again: "after the `Retry-After` of that answer, else backoff",
  },
  Unauthorized: {
    means: "no token, or the vault does not accept it",
    fix: "correct `clientid`, `clientsecret` or `tenantID`; with workload identity add the federated credential whose subject, issuer and audience the message has",
    again: "next poll",
  },
  Forbidden: {
    means:
      "the application may not read the object; or the vault refuses connections from the cluster's network; or the API server or a policy refused to write the Secret",
    fix: "grant Key Vault Secrets User, or Get on secrets; let the cluster's network in; see the policy that is named",
    again: "next poll; backoff where the API server refused",
  },
  ObjectNotFound: {
    means: "the vault has no such object or version",
    fix: "create it, or correct `objectName` or `objectVersion`",
    again: "next poll",
  },
  ObjectDisabled: { means: "the version is disabled", fix: "enable it, or name another version", again: "next poll" },
  ObjectExpired: {
    means: "the vault refuses the version because it has expired; or, as an event, it hands it out all the same and it is mirrored",
    fix: "set a new version",
    again: "next poll",
  },
  ObjectNotYetValid: {
    means: "the vault refuses the version because it is not valid yet; or, as an event, it hands it out all the same and it is mirrored",
    fix: "change its activation date, or wait",
    again: "next poll",
  },
  InvalidClass: {
    means: "parameters or `secretObjects` are wrong, or a class that was ours has another provider now, and its Secrets stay",
    fix: "correct the field that is named",
    again: "next poll; backoff where one `secretObject` is wrong",
  },
  InvalidObject: {
    means: "an entry of `objects` is wrong or not supported in this version; or the API server refused the Secret",
    fix: "correct the entry that is named",
    again: "next poll; backoff where the API server refused",
  },
  UnsupportedApiVersion: {
    means: "the vault does not know the version of Key Vault's API that is asked for; the message names both",
    fix: "set [`keyVaultAPIVersion`](../how-to/use-a-custom-cloud.md#1-describe-the-cloud) in the cloud file",
    again: "next poll",
  },
  CredentialsMissing: {
    means: "no Secret with credentials, a key missing in it, or a name that the worker may not read",
    fix: "create it with `clientid` and `clientsecret`, or see `--credentials-secret-names`",
    again: "backoff",
  },
  IdentityUnavailable: {
    means:
      "the class's identity cannot be had: no or several ServiceAccounts to choose from, no such account, no such identity of the node, one that only mounts can use, or one that `--allowed-identity-modes` leaves out",
    fix: "name the account in the class's `service-account` annotation, assign the identity to the node, or use what the message names",
    again: "backoff where an account is awaited, else next poll",
  },
  Conflict: {
    means: "the Secret exists and is not ours, another class writes it, or the CSI driver's own sync does",
    fix: "delete it, choose another `secretName`, have it [taken over](../how-to/migrate-from-the-drivers-sync.md), or switch that sync off",
    again: "backoff; at once when that sync is switched off",
  },
  ForbiddenType: { means: "Secrets of that type are never written, or (TLS) not in this version", fix: "use `Opaque`", again: "backoff" },
  Contested: {
    means: "somebody changes or deletes the Secret after each repair; the fourth repair in a row and the next ones wait, up to a minute",
    fix: "stop the other writer, who is named, or choose another `secretName`",
    again: "until a minute went by without a change",
  },
  Stale: {
    means:
      "of the condition `Fresh`: no check has succeeded for longer than the class's `max-stale`, or than two poll intervals although none has failed",
    fix: "see the reason behind it in the message",
    again: "as that reason",
  },
  TooLarge: { means: "the Secret would exceed 1 MiB", fix: "move entries to another `secretObject`", again: "backoff" },
  Frozen: {
    means:
      "the class CRD has not been whole for 10 s, so that nothing is changed because of classes; the event stands on the worker's Deployment",
    fix: "apply the CRD again, or let `--heal=crds` do it",
    again: "when the CRD is whole",
  },
  GuardrailsMissing: {
    means:
      "of the condition `Guarded`, and of an event on the worker's Deployment: a policy that limits the worker is absent, not bound, or only warns; or somebody else's policy refuses the worker's attempts, which hides that. With `--secret-access=blind` the worker ends",
    fix: "apply `manifests/policies`, bound with the action `Deny`; exempt the worker in the policy that the message names",
    again: "after every change of a policy or binding of ours, and hourly",
  },
  SwitchedOff: {
    means:
      "nothing is mirrored because of the class: its annotation `sync: never`, `--sync-mode=never` or `--sync-secret=false`. Its Secrets stay as they are; `Synced` and `Fresh` are `Unknown`. A class that never had a status gets none",
    fix: "nothing, if it is meant; else take the annotation or the setting back",
    again: "at once when it is switched on",
  },
};

const EVENT: Readonly<Record<EventReason, string>> = {
  SecretRepaired:
    "somebody edited or deleted a Secret, and it is as it was. Names the field manager that wrote it last, with the time, by the API server's own bookkeeping; of a deletion only the API server's audit log knows who did it",
  SecretReplaced:
    "a Secret was deleted and made anew, because no API server changes a type or the content of an immutable Secret. What others had added to it is gone",
  ObjectExpiring: "an object of the class expires within `--expiry-warning`",
  ComponentHealed:
    "a component was edited or deleted, and is as its installer left it. Names the fields, never their values, and the manager that wrote last",
  ComponentDamaged:
    "a part of the install is damaged and not healed: roles, policies, the Namespace, or what the API server does not change back. Apply the manifests again",
  ComponentRestarted:
    "a workload of the install was restarted, because its ServiceAccount had been deleted: the API server refuses the tokens of its pods",
  InvalidTlsOption: "a Gateway or an Ingress asks for a certificate in a way that nothing can be made of: correct the field that is named",
  TlsConflict:
    "what somebody else wrote is where a certificate of a Gateway or an Ingress would go: see [conflicts](../how-to/tls-for-gateways.md#what-the-worker-leaves-alone)",
  CertificateNotSynced: "the class that was made for a Gateway or an Ingress is not mirrored: see the reason in the message",
  ComponentTolerated: "a platform has changed a field of a component within what it may: see [healing](healing.md#what-counts-as-damage)",
};

/** In an event on the workload, in the condition `Rotated` of the classes, or in both. */
const RESTART: Readonly<Record<RolloutReason, { readonly where: "event" | "condition" | "both"; readonly means: string }>> = {
  Restarted: { where: "event", means: "the stamp was set, and the controller replaces the pods" },
  Waiting: {
    where: "both",
    means: "it is to be restarted, and waits for the workload that the message names, or for `--max-rollouts`",
  },
  Restarting: { where: "condition", means: "a restart is under way, or waits for its turn" },
  Rotated: { where: "both", means: "all pods have the versions that the Secrets have, and stay ready with them" },
  RolloutFailed: {
    where: "both",
    means:
      "a restarted workload, which is named, did not get ready in time, or does not stay ready; nothing else of the namespace is restarted until it is. See its pods; what is wrong may be the new value",
  },
  RestartsPaused: { where: "both", means: "restarts of the workload, its Namespace or the cluster are paused: the message names which" },
  WindowClosed: { where: "both", means: "it is to be restarted when its window opens: the message says when" },
  InvalidWindow: {
    where: "both",
    means: "`restart-window` of the workload or its Namespace cannot be read, so that no restart begins: the message says what is wrong",
  },
  DisruptionBudget: {
    where: "both",
    means:
      "it is to be restarted, and a PodDisruptionBudget that covers its pods, which is named, allows no disruption; with `--respect-disruption-budgets`",
  },
  RestartBlocked: {
    where: "both",
    means:
      "it is to be restarted, and the API server does not take that: an admission webhook that is down, say, or a policy that refuses the restart of a workload that was not ready. It is tried again, every minute at last, and holds up no other",
  },
  DryRun: { where: "both", means: "it would be restarted now; `--restart-mode=dry-run` restarts nothing" },
  Paused: { where: "both", means: "a paused Deployment is not restarted: resume it" },
  Degraded: {
    where: "both",
    means: "Argo Rollouts gave an update of the Rollout up, and a restart would try it again: mend it, undo it or retry it",
  },
  OnDelete: { where: "both", means: "the update strategy leaves the replacement of pods to people: delete them" },
  Partitioned: {
    where: "both",
    means:
      "the partition of a StatefulSet keeps pods from being replaced, all of them or those below it, and they have older versions: lower it",
  },
  AwaitingFiles: {
    where: "both",
    means:
      "it is to be restarted because of objects that it only mounts, and waits until the driver has brought the files of its pods up to date, for `--mounted-files-grace` at most",
  },
  VersionsUnknown: {
    where: "condition",
    means:
      "which versions the pods of a workload have, or would get, is not known at the moment: the message names the workload and says why",
  },
  NoVersions: {
    where: "both",
    means:
      "it asks for restarts and uses no class and no mirrored Secret, or only classes that are switched off or another provider's: the message says which",
  },
};

/** `http`: 200 where absent. */
const ADMISSION: Readonly<Record<AdmissionReason, { readonly means: string; readonly http?: string }>> = {
  Injected: { means: "something was missing and is added" },
  AlreadyInjected: { means: "the pod has everything already" },
  NotOptedIn: { means: '`inject` is absent or `"false"`' },
  MirrorPod: { means: "the kubelet's copy of a static pod, which nothing can change" },
  Unsupported: { means: "not the creation of a pod" },
  InvalidAnnotation: { means: "a value is wrong; the message says what to write" },
  UnknownAnnotation: { means: "an unknown key under our prefix, with `--strict-annotations`" },
  ClassRequired: { means: "`inject` without `secret-provider-class`" },
  ContainerNotFound: { means: "`containers` names one, other than to leave it out, that the pod does not have" },
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
    means:
      "more reviews or bytes at once than there is room for, and the sender has the most of them; the API server asks again after the second that `Retry-After` names",
    http: "429",
  },
  InternalError: { means: "a bug of ours: the webhook's log has the request's uid", http: "500" },
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
