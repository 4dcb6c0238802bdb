/** What the page of events says of each; which type it has, and on which object it is, the code says. */
import type { EventReason } from "../../src/domain/event-reasons.ts";
import { EVENTS, type EventFacts } from "../../src/domain/events.ts";
import type { SyncReason } from "../../src/domain/reasons.ts";
import type { RolloutReason } from "../../src/domain/rollout/reasons.ts";
import { assertExplained, code, type Places, table } from "./page.ts";

interface EventWords {
  readonly when: string;
  /** Markdown: the message as code, with `<what varies>`. */
  readonly message: string;
}

const WORDS: Readonly<Record<Exclude<SyncReason | EventReason | RolloutReason, "Restarting" | "VersionsUnknown">, EventWords>> = {
  Synced: { when: "all Secrets are up to date for the first time, or again", message: "`<number> of <number> Secrets are up to date`" },
  PartialSync: {
    when: "only some Secrets are up to date",
    message: "`<number> of <number> Secrets are up to date`, then the first Secret that is not",
  },
  Unreachable: {
    when: "the vault, a token service, or a proxy does not give a usable response",
    message: "`no connection to the vault (<code>): <remedy>`",
  },
  Throttled: {
    when: "the vault returns 429",
    message: "`the vault is throttling requests (<code>); poll less often, or spread objects across more vaults`",
  },
  Unauthorized: {
    when: "the token service issues no token, or the vault rejects the token",
    message: "`no token from <authority> for <identity> (<code>): <remedy>`",
  },
  Forbidden: {
    when: "the vault denies access to the identity or from the network, or the API server rejected a write",
    message: "`<identity> is not allowed to (<code>); <remedy>`",
  },
  ObjectNotFound: {
    when: "the vault does not have the object or version",
    message: "`not found in the vault (<code>); create it, or correct objectName or objectVersion`",
  },
  ObjectDisabled: {
    when: "the version is disabled",
    message: "`the version is disabled (<code>); enable it, or set objectVersion to an enabled one`",
  },
  ObjectExpired: {
    when: "the version has expired. Posted once per object and version",
    message: "`<object> expired at <time> and is still synced; set a new version in the vault`",
  },
  ObjectNotYetValid: {
    when: "the version is not valid yet. Posted once per object and version",
    message: "`<object> is not valid before <time> and is still synced; change its activation date, or name a version that is valid`",
  },
  ObjectExpiring: {
    when: "the version expires within `--expiry-warning`. Posted once per object and version",
    message: "`<object> expires at <time>; set a new version in the vault before then`",
  },
  InvalidClass: {
    when: "a field is invalid, an annotation or parameter has no effect, the class is too large, or the provider of the class changed",
    message:
      "`spec.provider is now <provider>, so the worker no longer updates <Secrets>; set spec.provider back to azure, or delete the class, which also deletes the Secrets`",
  },
  InvalidObject: {
    when: "an entry of `objects`, or its content, is invalid",
    message: "`failed to get objectType:<type>, objectName:<name>, objectVersion:<version>: <why>`",
  },
  UnsupportedApiVersion: {
    when: "the vault does not support the requested API version",
    message:
      "`the vault does not know version <version> of Key Vault's API, its latest is <version>; set keyVaultAPIVersion to <version> in <where>`",
  },
  CredentialsMissing: {
    when: "the credentials Secret is missing, or the worker is not allowed to read it",
    message: "`failed to build auth config for mode None: could not find <key> in secrets`",
  },
  IdentityUnavailable: {
    when: "the class has no usable ServiceAccount or managed identity",
    message: "`no pod mounts the class, so the worker does not know which ServiceAccount to use`",
  },
  Conflict: {
    when: "another writer owns the Secret",
    message:
      "`Secret <name> exists but is not managed by the worker<writer>, so the worker leaves it unchanged. Delete the Secret, or choose another secretName`",
  },
  ForbiddenType: { when: "the worker never writes Secrets of this type", message: "`Secrets of type <type> are never written`" },
  Contested: {
    when: "someone undoes each repair. For a component of the install, the worker posts the event on its own Deployment",
    message:
      "`Secret <name> is changed or deleted after each repair, last by <who>; repairs pause for up to a minute. Stop the other writer, or choose another secretName`",
  },
  Stale: {
    when: "the last successful check is older than `max-stale` allows, or no check has finished for two poll intervals",
    message: "`no successful check since <time>, which is longer than <age>; <why>`",
  },
  SwitchedOff: {
    when: "someone turned off the sync of a class",
    message: "`sync is turned off by <annotation or setting>, so the worker does not update or repair the class's Secrets`",
  },
  TooLarge: {
    when: "the Secret would exceed 1 MiB",
    message: "`data has <number> bytes, a Secret takes <number>; the biggest entry is <key> with <number>`",
  },
  SecretRepaired: {
    when: "the worker repaired an edited or deleted Secret. Posted once per repair",
    message: "`Secret <name> was edited<by whom>; the worker restored it`",
  },
  SecretReplaced: {
    when: "the worker recreated a Secret because its type or immutable content had to change",
    message: "`Secret <name> was deleted and recreated without the additions of others, because <why>`",
  },
  ClassRestored: {
    when: "the class was deleted with its CRD, or a damaged CRD removed some of its fields, and the worker restored the class from its snapshot",
    message: "`deleted with its CRD, and created again from its snapshot`",
  },
  Restarted: {
    when: "the worker set the stamp, and the controller replaces the pods",
    message: "`restarted: the versions in <Secrets> changed`",
  },
  Waiting: {
    when: "another workload restarts first. Posted again if that restart failed",
    message: "`versions that it uses changed; not restarted yet: <why>`",
  },
  Rotated: { when: "after a restart, all pods are ready and stay ready", message: "`all pods are ready with the new versions`" },
  RolloutFailed: {
    when: "the workload did not become ready in time, is in a crash loop, or was not restarted because the API server did not accept the restart",
    message:
      "`<state>. <number> other workloads wait until it is ready. Fix it, or set keyvault-injector.dev/restart-paused on the Namespace and then undo it: an undo alone lets the next restart begin`",
  },
  RestartsPaused: {
    when: "restarts are paused",
    message: "`versions that it uses changed; not restarted yet: <why>`",
  },
  WindowClosed: {
    when: "the workload's window is closed",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `its restart window opens at <time>`",
  },
  InvalidWindow: {
    when: "the workload's window is invalid",
    message:
      "`versions that it uses changed; not restarted yet: <why>`, with `<annotation> is invalid; no workload is restarted until it is fixed: <why>`",
  },
  DisruptionBudget: {
    when: "a PodDisruptionBudget allows no disruption of the workload's pods",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `PodDisruptionBudget <name>: <why>`",
  },
  RestartBlocked: {
    when: "the API server does not accept the restart, for example because an admission webhook is down",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `the API server did not accept the restart: <why>`",
  },
  DryRun: {
    when: "the worker would restart the workload, but `--restart-mode=dry-run` is set",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `--restart-mode is dry-run: it would be restarted`",
  },
  Paused: {
    when: "the workload is paused",
    message: "`versions that it uses changed; it is paused and not restarted: resume it, then kubectl rollout restart`",
  },
  Degraded: {
    when: "Argo Rollouts aborted the Rollout's last update",
    message:
      "`versions that it uses changed; Argo Rollouts aborted its last update, and a restart would try that again: fix, undo or retry it`",
  },
  OnDelete: {
    when: "the workload's update strategy does not replace pods",
    message: "`versions that it uses changed; its update strategy is OnDelete: delete its pods to restart them`",
  },
  Partitioned: {
    when: "the StatefulSet's partition prevents pods from being replaced",
    message:
      "`versions that it uses changed; its pods below its partition are not replaced: lower spec.updateStrategy.rollingUpdate.partition to restart them`",
  },
  AwaitingFiles: {
    when: "the driver has not updated the mounted files, or their versions are unknown",
    message:
      "`<workload> will restart after its mounted files are updated, or at <time> at the latest. In <number> of its pods, the files of <classes> do not match the versions in the vault: <pods>`, or `<workload> is not restarted because the versions of the files in its pods cannot be determined: <why>`",
  },
  NoVersions: {
    when: "the workload uses no class or synced Secret, or only classes that the worker does not fetch",
    message: "`restarts are requested, but no version information is available: <why>`",
  },
  Frozen: {
    when: "the class CRD has been missing or damaged for 10 seconds. The worker posts one event for all classes",
    message: "`the worker does not act on classes: <why>. Secrets remain unchanged`",
  },
  ComponentHealed: {
    when: "the worker [healed](healing.md) an edited or deleted component of the install",
    message: "`<component> was <damage> (<detail>) and is as its installer left it`",
  },
  ComponentDamaged: {
    when: "a role, a policy, the Namespace, or an immutable field is damaged. The worker does not heal this damage",
    message: "`<component>: <damage>; apply the manifests again`",
  },
  ComponentRestarted: {
    when: "a ServiceAccount of the install was recreated, so the worker restarted the workload that uses it",
    message:
      "`<component> was restarted: <account> was recreated at <time>, and the API server rejects the tokens that the pods had before`",
  },
  ComponentTolerated: {
    when: "a platform changed a field that it [is allowed to change](healing.md#what-counts-as-damage). Posted once",
    message: "`<component>: <fields>, by <who>, was changed by the platform and stays`",
  },
  GuardrailsMissing: {
    when: "a policy that limits the worker is not in force",
    message:
      "`the sync worker is able to do what <policies> should prevent; apply manifests/policies, and make sure that each policy is bound with the action Deny`; or `another policy or webhook rejects the sync worker's tests, so the worker cannot determine whether <policies> would reject them (<refusal>); exempt the sync worker's account there`",
  },
  InvalidTlsOption: {
    when: "a listener or Ingress requests a certificate incorrectly. The worker keeps the existing certificate",
    message:
      "the field, the error, and the remedy, such as `<field>: <key>: the namespace has no ServiceAccount of that name; create it, or name another one`",
  },
  TlsConflict: {
    when: "another writer uses the name of the class or the field of the reference, or blocks its removal",
    message:
      "`the SecretProviderClass <name> is not changed: <who> …`, `<field> is not changed: it was written by <managers>; …`, or `<field> still names the Secret <name>, which goes: …`",
  },
  CertificateNotSynced: {
    when: "the class for the certificate does not sync. The events of this class give the reason",
    message: "`the Secret <name> is not as the vault has it: <reason>: <message> (SecretProviderClass <name>)`",
  },
};

type Word = keyof typeof WORDS;

export function eventPlaces(): Places {
  const posted = Object.entries(EVENTS).flatMap(([word, facts]) => (facts === undefined ? [] : [word]));
  assertExplained(Object.keys(WORDS), posted, "tools/reference/events.ts");
  return {
    "on-a-class": eventsOn("class", "class, worker"),
    "on-a-workload": eventsOn("workload"),
    "on-a-gateway": eventsOn("gateway"),
    "on-the-worker": eventsOn("worker"),
  };
}

function eventsOn(...places: readonly EventFacts["on"][]): string {
  const rows = (Object.entries(WORDS) as [Word, EventWords][]).flatMap(([word, { when, message }]) => {
    const facts = EVENTS[word];
    return facts !== undefined && places.includes(facts.on) ? [[code(word), facts.type, facts.on, when, message]] : [];
  });
  return table(["Event", "Type", "On", "When", "Message"], rows);
}
