/** Text of the events page about each event. Its type and its object come from the code. */
import { EVENTS, type EventFacts, type EventReason, type RolloutReason, type SyncReason } from "../../src/domain/reasons.ts";
import { assertExplained, code, type Places, table } from "./page.ts";

interface EventWords {
  readonly when: string;
  /** Markdown: the message as code, with `<placeholders>` for variable parts. */
  readonly message: string;
}

const WORDS: Readonly<Record<Exclude<SyncReason | EventReason | RolloutReason, "Restarting" | "VersionsUnknown">, EventWords>> = {
  Synced: {
    when: "all Secrets are up to date for the first time, or again after a problem",
    message: "`<number> of <number> Secrets are up to date`",
  },
  PartialSync: {
    when: "only some Secrets are up to date",
    message: "`<number> of <number> Secrets are up to date`, followed by the first Secret that is not up to date",
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
    when: "the vault does not allow access by the identity or from the worker's network, or the API server rejects a write by the worker",
    message: "`<identity> is not allowed to <action> (<code>); <remedy>`",
  },
  ObjectNotFound: {
    when: "the vault does not have the object or version",
    message: "`not found in the vault (<code>); create it, or correct objectName or objectVersion`",
  },
  ObjectDisabled: {
    when: "the object version is disabled",
    message: "`the version is disabled (<code>); enable it, or set objectVersion to an enabled one`",
  },
  ObjectExpired: {
    when: "the object version has expired",
    message: "`<object> expired at <time> and is still synced; set a new version in the vault`",
  },
  ObjectNotYetValid: {
    when: "the object version is not valid yet",
    message: "`<object> is not valid before <time> and is still synced; change its activation date, or name a version that is valid`",
  },
  ObjectExpiring: {
    when: "the object version expires within the time that `--expiry-warning` sets",
    message: "`<object> expires at <time>; set a new version in the vault before then`",
  },
  InvalidClass: {
    when: "a field is invalid, an annotation or parameter has no effect, the class is too large, or the provider of the class changed",
    message:
      "`spec.provider is now <provider>, so the worker no longer updates <Secrets>; set spec.provider back to azure, or delete the class, which also deletes the Secrets`",
  },
  InvalidObject: {
    when: "an entry of `objects` is invalid, or the specified object has invalid content",
    message: "`failed to get objectType:<type>, objectName:<name>, objectVersion:<version>: <why>`",
  },
  UnsupportedApiVersion: {
    when: "the vault does not support the requested API version",
    message:
      "`the vault does not support version <version> of the Key Vault API, only versions up to <version>; set keyVaultAPIVersion to <version> in <cloud file>`",
  },
  CredentialsMissing: {
    when: "the credentials Secret is missing or incomplete, or the worker is not allowed to read it",
    message: "`failed to build auth config for mode None: could not find <key> in secrets`",
  },
  IdentityUnavailable: {
    when: "the class has no usable ServiceAccount or managed identity",
    message: "`no pod mounts the class, so the worker does not know which ServiceAccount to use`",
  },
  Conflict: {
    when: "another writer or another class owns the Secret",
    message:
      "`Secret <name> exists but is not managed by the worker (written by <writer>), so the worker leaves it unchanged. Delete the Secret, or choose another secretName`. If the writer is unknown, the part in parentheses is missing",
  },
  ForbiddenType: {
    when: "the class specifies a Secret type that the worker never writes",
    message: "`Secrets of type <type> are never written`",
  },
  Contested: {
    when: "someone undoes each repair of a Secret or a component. For a component, the worker posts the event on its own Deployment",
    message:
      "`Secret <name> is changed or deleted after each repair, last by <who>; repairs pause for up to a minute. Stop the other writer, or choose another secretName`",
  },
  Stale: {
    when: "the last successful check is older than `max-stale` allows, or no check has finished for two poll intervals",
    message: "`no successful check since <time>, which is longer than <age>; <why>`",
  },
  SwitchedOff: {
    when: "someone turned off the sync of the class, or App Routing created the class",
    message: "`sync is turned off by <annotation, setting, or creator>, so the worker does not update or repair the class's Secrets`",
  },
  TooLarge: {
    when: "the Secret would exceed 1 MiB, or the class selects too many objects or exceeds 8 MiB of values",
    message: "`data has <number> bytes, but a Secret can have <number>; the largest entry is <key> with <number>`",
  },
  SecretRepaired: {
    when: "the worker repaired an edited or deleted Secret",
    message: "`Secret <name> was edited (last written by <manager> at <time>); the worker restored it`",
  },
  SecretReplaced: {
    when: "the worker recreated a Secret because its type or immutable content had to change",
    message: "`Secret <name> was deleted and recreated without what others had added, because <why>`",
  },
  ClassRestored: {
    when: "the worker restored the class from its snapshot, because the class was deleted with its CRD or because a damaged CRD removed some of its fields",
    message: "`deleted with its CRD, and recreated from its snapshot`",
  },
  Restarted: {
    when: "the worker set the restart stamp on the workload, so the controller replaces the pods",
    message: "`restarted: the versions in <Secrets> changed`",
  },
  Waiting: {
    when: "another workload restarts first, or as many workloads as `--max-rollouts` allows are restarting. The worker posts the event again if the restart of the other workload fails",
    message: "`object versions changed, but the workload is not restarted yet: <why>`",
  },
  Rotated: { when: "after a restart, all pods became ready and stayed ready", message: "`all pods are ready with the new versions`" },
  RolloutFailed: {
    when: "the workload did not become ready in time, is in a crash loop, or was not restarted because the API server did not accept the restart",
    message:
      "`<workload>: <state>. <number> other workloads wait until it is ready. Fix it, or set keyvault-injector.dev/restart-paused on the Namespace and then undo the rollout; an undo alone lets the next restart begin`",
  },
  RestartsPaused: {
    when: "the annotation `keyvault-injector.dev/restart-paused` or `--restart-mode=paused` pauses restarts of the workload",
    message: "`object versions changed, but the workload is not restarted yet: <why>`",
  },
  WindowClosed: {
    when: "the workload's restart window is closed",
    message:
      "`object versions changed, but the workload is not restarted yet: <why>`, where `<why>` is `its restart window opens at <time>`",
  },
  InvalidWindow: {
    when: "the workload's restart window is invalid",
    message:
      "`object versions changed, but the workload is not restarted yet: <why>`, where `<why>` is `<annotation> on <owner> is invalid, and prevents restarts until it is corrected: <problem>`",
  },
  DisruptionBudget: {
    when: "a PodDisruptionBudget allows no disruption of the workload's pods, or the worker cannot read the PodDisruptionBudgets. In the second case, the type is Warning",
    message:
      "`object versions changed, but the workload is not restarted yet: <why>`, where `<why>` is `PodDisruptionBudget <name>: <detail>`",
  },
  RestartBlocked: {
    when: "the API server does not accept the restart, for example because an admission webhook is down",
    message:
      "`object versions changed, but the workload is not restarted yet: <why>`, where `<why>` is `the API server did not accept the restart: <error>`",
  },
  DryRun: {
    when: "the worker would restart the workload, but `--restart-mode=dry-run` is set",
    message:
      "`object versions changed, but the workload is not restarted yet: <why>`, where `<why>` is `--restart-mode is dry-run: it would be restarted`",
  },
  Paused: {
    when: "the workload itself is paused (`spec.paused`)",
    message: "`object versions changed, but the workload is paused and was not restarted; resume it, then run kubectl rollout restart`",
  },
  Degraded: {
    when: "Argo Rollouts aborted the Rollout's last update",
    message:
      "`object versions changed, but Argo Rollouts aborted the last update, and a restart would repeat it; fix, undo, or retry the update`",
  },
  OnDelete: {
    when: "the workload's update strategy does not replace pods",
    message: "`object versions changed, but the update strategy is OnDelete; delete the pods to restart them`",
  },
  Partitioned: {
    when: "the StatefulSet's partition prevents pods from being replaced",
    message:
      "`object versions changed, but pods below the partition are not replaced; lower spec.updateStrategy.rollingUpdate.partition to restart them`",
  },
  AwaitingFiles: {
    when: "the CSI driver has not updated the mounted files yet, or the versions of these files are unknown",
    message:
      "`<workload> will restart after its mounted files are updated, or at <time> at the latest. In <number> of its pods, the files of <classes> do not match the versions in the vault: <pods>`, or `<workload> is not restarted because the versions of the files in its pods cannot be determined: <why>`",
  },
  NoVersions: {
    when: "the workload uses neither a class nor a synced Secret, or the worker does not fetch any class that the workload uses",
    message: "`restarts are requested, but no version information is available: <why>`",
  },
  Frozen: {
    when: "the class CRD has been missing or damaged for 10 seconds. The worker posts one event for all classes",
    message: "`the worker does not act on classes: <why>. Secrets remain unchanged`",
  },
  ComponentHealed: {
    when: "the worker [healed](healing.md) an edited or deleted component of the install",
    message: "`<component> was <damage> (<detail>); the worker restored it as its installer left it`",
  },
  ComponentDamaged: {
    when: "a component of the install is damaged, and the worker cannot heal it. The worker is not allowed to repair roles, policies, and the Namespace of the install. Repairs of immutable fields fail, and a [policy](healing.md#what-a-repair-may-say) or a webhook can deny a repair",
    message: "`<component>: <damage>; apply the manifests again`",
  },
  ComponentRestarted: {
    when: "a ServiceAccount of the install was recreated, so the worker restarted the workload that uses it",
    message:
      "`<component> was restarted: <account> was recreated at <time>, and the API server rejects the earlier tokens, which the pods still have`",
  },
  ComponentTolerated: {
    when: "a platform changed a field that it [is allowed to change](healing.md#what-counts-as-damage)",
    message: "`<component>: the platform changed <fields>, by <who>; the worker leaves the change`",
  },
  GuardrailsMissing: {
    when: "a policy that limits the worker is not in force, or the worker cannot test it",
    message:
      "`the sync worker is able to do what <policies> should prevent; apply manifests/policies, and make sure that each policy is bound with the action Deny`, `another policy or webhook rejects the sync worker's tests, so the worker cannot determine whether <policies> would reject them (<refusal>); exempt the sync worker's account there`, or `the API server has not processed the sync worker's tests of <policies> for 10 minutes (<error>); resolve this error`",
  },
  InvalidTlsOption: {
    when: "the certificate request of a listener or an Ingress is invalid. The worker keeps the existing certificate",
    message:
      "the field, the error, and the remedy, such as `<field>: <key>: the namespace has no ServiceAccount with that name; create it, or name another one`",
  },
  TlsConflict: {
    when: "the class name or the reference field that the worker needs is already in use by another writer, or the worker cannot remove its own reference, because the API server would reject the listener without it",
    message:
      "`the SecretProviderClass <name> is not changed: <who> …`, `<field> is not changed: it was written by <managers>; …`, or `<field> still names the Secret <name>, which the worker deletes, and …`",
  },
  CertificateNotSynced: {
    when: "the class that the worker created for the certificate does not sync (the events of this class give the reason), or the API server rejects a write for the certificate",
    message:
      "`the Secret <name> does not match the vault: <reason>: <message> (SecretProviderClass <name>)`, or `<object> cannot be written: <error>`, or `… cannot be removed: <error>`",
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
