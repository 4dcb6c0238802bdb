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
    when: "some Secrets are up to date, some are not",
    message: "`<number> of <number> Secrets are up to date`, then the first that is not",
  },
  Unreachable: {
    when: "no usable answer from the vault, from a token service or from a proxy",
    message: "`no connection to the vault (<code>): <remedy>`",
  },
  Throttled: {
    when: "the vault answers 429",
    message: "`the vault throttles (<code>); poll less often, or spread objects over more vaults`",
  },
  Unauthorized: {
    when: "no token, or the vault rejects it",
    message: "`no token from <authority> for <identity> (<code>): <remedy>`",
  },
  Forbidden: {
    when: "the identity or the network may not read; or the API server refused a write",
    message: "`<identity> is not allowed to (<code>); <remedy>`",
  },
  ObjectNotFound: {
    when: "the vault has no such object or version",
    message: "`not found in the vault (<code>); create it, or correct objectName or objectVersion`",
  },
  ObjectDisabled: {
    when: "the version is disabled",
    message: "`the version is disabled (<code>); enable it, or set objectVersion to an enabled one`",
  },
  ObjectExpired: {
    when: "once per object and version: it has expired",
    message: "`<object> expired at <time> and is still synced; set a new version in the vault`",
  },
  ObjectNotYetValid: {
    when: "once per object and version: it is not valid yet",
    message: "`<object> is not valid before <time> and is still synced; change its activation date, or name a version that is valid`",
  },
  ObjectExpiring: {
    when: "once per object and version: it expires within `--expiry-warning`",
    message: "`<object> expires at <time>; set a new version in the vault before`",
  },
  InvalidClass: {
    when: "a field is wrong; an annotation or parameter has no effect; the class is too large; or has another provider now",
    message:
      "`spec.provider is now <provider>, so that nothing updates <Secrets> any more; set it back to azure, or delete the class, and the Secrets go with it`",
  },
  InvalidObject: {
    when: "an entry of `objects`, or its content, is wrong",
    message: "`failed to get objectType:<type>, objectName:<name>, objectVersion:<version>: <why>`",
  },
  UnsupportedApiVersion: {
    when: "the vault does not know the requested API version",
    message:
      "`the vault does not know version <version> of Key Vault's API, its latest is <version>; set keyVaultAPIVersion to <version> in <where>`",
  },
  CredentialsMissing: {
    when: "no Secret with credentials, or one that the worker may not read",
    message: "`failed to build auth config for mode None: could not find <key> in secrets`",
  },
  IdentityUnavailable: {
    when: "no ServiceAccount or managed identity to use",
    message: "`no pod mounts the class, so that there is no ServiceAccount whose token could be exchanged`",
  },
  Conflict: {
    when: "someone else owns the Secret",
    message: "`Secret <name> exists and is not ours<writer>; it is left as it is. Delete it, or choose another secretName`",
  },
  ForbiddenType: { when: "a type that is never written", message: "`Secrets of type <type> are never written`" },
  Contested: {
    when: "someone undoes each repair; for a component of the install the event is on the worker's Deployment",
    message:
      "`Secret <name> is changed or deleted after each repair, last by <who>; repairs pause for up to a minute. Stop the other writer, or choose another secretName`",
  },
  Stale: {
    when: "the age that `max-stale` allows is exceeded, or two polls were missed and none has failed",
    message: "`no successful check since <time>, which is longer than <age>; <why>`",
  },
  SwitchedOff: {
    when: "a synced class is switched off",
    message: "`switched off by <annotation or setting>: nothing updates or repairs its Secrets`",
  },
  TooLarge: {
    when: "the Secret would exceed 1 MiB",
    message: "`data has <number> bytes, a Secret takes <number>; the biggest entry is <key> with <number>`",
  },
  SecretRepaired: {
    when: "each repair of an edited or deleted Secret",
    message: "`Secret <name> was edited<by whom>; the worker restored it`",
  },
  SecretReplaced: {
    when: "the worker recreated a Secret, because its type or immutable content had to change",
    message: "`Secret <name> was deleted and made anew, without what others had added to it: <why>`",
  },
  Restarted: { when: "its stamp was set, and its controller replaces the pods", message: "`restarted: the versions in <Secrets> changed`" },
  Waiting: {
    when: "another workload is restarted first; again if that one failed",
    message: "`versions that it uses changed; not restarted yet: <why>`",
  },
  Rotated: { when: "all pods are ready after a restart, and stay ready", message: "`all pods are ready with the new versions`" },
  RolloutFailed: {
    when: "not ready in time, in a crash loop, or the restart was refused",
    message:
      "`<state>. <number> other workloads wait until it is ready. Fix it, or set keyvault-injector.dev/restart-paused on the Namespace and then undo it: an undo alone lets the next restart begin`",
  },
  RestartsPaused: {
    when: "restarts are paused",
    message: "`versions that it uses changed; not restarted yet: <why>`",
  },
  WindowClosed: {
    when: "its window is closed",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `its restart window opens at <time>`",
  },
  InvalidWindow: {
    when: "its window is invalid",
    message:
      "`versions that it uses changed; not restarted yet: <why>`, with `<annotation> is invalid, so no restart starts until it is fixed: <why>`",
  },
  DisruptionBudget: {
    when: "a PodDisruptionBudget allows no disruption of its pods",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `PodDisruptionBudget <name>: <why>`",
  },
  RestartBlocked: {
    when: "the API server does not accept the restart, for example because an admission webhook is down",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `the API server does not take its restart: <why>`",
  },
  DryRun: {
    when: "it would be restarted now, with `--restart-mode=dry-run`",
    message: "`versions that it uses changed; not restarted yet: <why>`, with `--restart-mode is dry-run: it would be restarted`",
  },
  Paused: {
    when: "the workload is paused",
    message: "`versions that it uses changed; it is paused and not restarted: resume it, then kubectl rollout restart`",
  },
  Degraded: {
    when: "Argo Rollouts aborted its last update",
    message:
      "`versions that it uses changed; Argo Rollouts aborted its last update, and a restart would try that again: fix, undo or retry it`",
  },
  OnDelete: {
    when: "its update strategy replaces no pods",
    message: "`versions that it uses changed; its update strategy is OnDelete: delete its pods to restart them`",
  },
  Partitioned: {
    when: "the partition of the StatefulSet protects pods",
    message:
      "`versions that it uses changed; its pods below its partition are not replaced: lower spec.updateStrategy.rollingUpdate.partition to restart them`",
  },
  AwaitingFiles: {
    when: "the driver has not updated its mounted files, or their versions are unknown",
    message:
      "`<workload> is restarted when its mounted files have changed, at <time> at the latest. The files of <classes> in <number> of its pods do not have the versions that the vault has: <pods>`, or `<workload> is not restarted, because nobody can say what the files of its pods have: <why>`",
  },
  NoVersions: {
    when: "it uses no class and no synced Secret, or only classes that are not fetched",
    message: "`it asks for restarts, and there are no versions to go by: <why>`",
  },
  Frozen: {
    when: "the class CRD has been missing or damaged for 10 seconds; one event for all classes",
    message: "`nothing is changed because of classes: <why>. Secrets stay as they are`",
  },
  ComponentHealed: {
    when: "a component of the install was edited or deleted, and is [healed](healing.md)",
    message: "`<component> was <damage> (<detail>) and is as its installer left it`",
  },
  ComponentDamaged: {
    when: "a part of the install is damaged and not healed: roles, policies, the Namespace, or an immutable field",
    message: "`<component>: <damage>; apply the manifests again`",
  },
  ComponentRestarted: {
    when: "a ServiceAccount of the install was recreated, and its workload restarted",
    message:
      "`<component> was restarted: <account> was made anew at <time>, and the API server refuses the tokens that its pods had before`",
  },
  ComponentTolerated: {
    when: "once, when a platform changed a field that it [may change](healing.md#what-counts-as-damage)",
    message: "`<component>: <fields>, by <who>, was changed by the platform and stays`",
  },
  GuardrailsMissing: {
    when: "a policy on the worker is not in force",
    message:
      "`nothing stops the sync worker from what <policies> forbids; apply manifests/policies, and see that each policy is bound with the action Deny`; or `somebody else refuses what the sync worker tries, so that nobody knows whether <policies> would (<refusal>); exempt the sync worker's account there`",
  },
  InvalidTlsOption: {
    when: "the request for a certificate on a listener or Ingress is invalid; the existing certificate stays",
    message:
      "the field, what is wrong with it, and what to write: `<field>: <key>: the namespace has no ServiceAccount of that name; create it, or name another one`, say",
  },
  TlsConflict: {
    when: "another writer occupies the place of the class or reference, or blocks its removal",
    message:
      "`the SecretProviderClass <name> is not changed: <who> …`, `<field> is not changed: it was written by <managers>; …`, or `<field> still names the Secret <name>, which goes: …`",
  },
  CertificateNotSynced: {
    when: "the class of the certificate does not sync; its own events have the reason",
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
