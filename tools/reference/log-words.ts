/** What the page of logs says of each message, and what to do: by level, then by the process that logs it. */
export type LogWords = Readonly<Record<string, Readonly<Record<"both" | "sync" | "webhook", Readonly<Record<string, string>>>>>>;

export const WARNINGS: LogWords = {
  error: {
    both: {
      "change handler failed": "a bug in handling a changed object; report it",
      "projection failed": "a bug in handling an unexpected object; report the bug and the object's kind",
      "reflector stopped": "a bug. The process no longer watches this kind. Report the bug, and restart the process if its probe does not",
      "the process ends because of an error":
        "the error gives the reason, such as a lost lease, a missing policy with `--secret-access=blind`, or a port in use. Kubernetes restarts the process after exit code 1",
    },
    sync: {
      "acting on a message of an event queue failed":
        "a bug. The queue redelivers the message, and the worker deletes it after ten deliveries. Report the bug with the stack trace",
      "waiting between two looks at an event queue failed": "a bug. The worker continues to read the queue. Report the bug",
      "not retried": "a reconcile of `key` failed, and a retry would not help. The worker reconciles the object again when it changes",
    },
    webhook: {
      "a TLS server refused the new certificate":
        "the webhook keeps the previous certificate; see [certificates](../runbooks/certificates.md)",
      "a new serving certificate cannot be used":
        "the webhook keeps the previous certificate; see [certificates](../runbooks/certificates.md)",
      "a preflight check failed": "a bug. The webhook admits the object. Report the bug",
      "the CAs of clients in the file cannot be used":
        "the webhook keeps the previous CAs; correct the ConfigMap or Secret that `problem` names",
      "decisions no longer rest on what the cluster has":
        "the API server rejects the webhook's token, or a watch has stopped, as `problem` states. See [webhook unavailable](../runbooks/webhook-unavailable.md)",
      "deciding on a pod failed": "a bug. The webhook returns HTTP 500. Report the bug with the stack trace",
      "the certificate in the files cannot be used":
        "the webhook serves the previous certificate until it expires; correct the files at their source",
    },
  },
  warn: {
    both: {
      "list or watch failed":
        "the process retries after `delayMs`. If the failures continue, check the API server and the permissions on `resource`",
      "the API server's versions went back; listing anew":
        "etcd was restored from a backup, so objects created after the backup are lost; nothing to do",
      "watch sent an error; listing anew": "the API server ended a watch with an error; nothing to do",
      "whether another instance is installed is not known":
        "the process lacks permission to read the webhook configuration; check that `keyvault-injector-instance` is bound",
    },
    sync: {
      "a CRD is damaged and is repaired":
        "someone applied a different CRD; `problem` names the missing parts. If this happens repeatedly, see [Frozen](../runbooks/Frozen.md)",
      "a CRD is gone and is applied again":
        "someone deleted the CRD, and the worker restores the classes from snapshots. Find out who deleted it",
      "an event queue is not read: polls alone see new versions":
        "`problem` gives the reason and the remedy; the worker retries with a backoff. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "messages of an event queue are deleted and not acted on":
        "logged at most once per minute for each `why`; `event_messages_total` counts the messages. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "a class was in hand when a worker ended":
        "a worker crashed on the class. Its successor handles the class last and separately, and pauses it after a third crash. Read the end of the crashed worker's log, and see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class is gone and no snapshot says whether it was meant to: its Secrets stay":
        "if the deletion was intentional, delete the named Secrets. Otherwise, recreate the class",
      "a class snapshot was not written by this install and is ignored":
        "the snapshot is forged, signed with an earlier key, or a later copy of an older snapshot, as `why` states. Delete it if nobody needs its class",
      "a class is too large to be mirrored": "see [InvalidClass](../runbooks/InvalidClass.md)",
      "a status takes too much to be held":
        "someone else wrote the status, or the namespace has too many large statuses, as `detail` states; see the [limits](secret-provider-class.md#limits)",
      "a class was given to another provider: its Secrets stay": "see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class was lost with its CRD and is not restored, because --heal leaves classes out: its Secrets stay":
        "recreate the class, or add `classes` to `--heal`",
      "a copy of a Secret has a name that is somebody else's":
        "the worker does not change the other owner's Secret, which `detail` names. Delete that Secret, or choose another `secretName`",
      "a damaged CRD had cut fields off a class; they are back from its snapshot": "nothing to do for the class; check the CRD",
      "a certificate of a Gateway or Ingress needs attention":
        "`detail` names the field or the other owner, and the remedy; see [TLS for Gateways](../how-to/tls-for-gateways.md)",
      "a class of App Routing is left to App Routing":
        "remove `name` from `--gateway-classes` or `--ingress-classes`, because the AKS add-on provides those certificates",
      "a mirrored Secret was changed by somebody else, or could not stay":
        "`detail` names the writer. If this happens repeatedly, see [Contested](../runbooks/Contested.md)",
      "a policy that limits the worker is missing": "see [GuardrailsMissing](../runbooks/GuardrailsMissing.md)",
      "an object's dates need attention":
        "the object expires soon, has expired, or is not valid yet; see [ObjectExpired](../runbooks/ObjectExpired.md)",
      "class is stale": "see [Stale](../runbooks/Stale.md)",
      "class not synced": "logged once per state; see the [runbook](../runbooks/README.md) for the reason",
      "environment variables that change what a managed identity is are ignored":
        "`variables` lists variables that have no effect; remove them from the Deployment",
      "event not posted":
        "too many events from the namespace were waiting, the API server rejected the event, or the worker stopped. The status still shows the state. If this happens often, find the missing permission",
      "fields of a class are not part of its CRD any more and are given up": "an older CRD is still in use; check the class",
      "leases not listed": "as for `lease not read`",
      "lease not acquired": "as for `lease not read`",
      "lease not read":
        "the worker retries. If the failures continue, check the API server and the permission on the Lease; see [no leader](../runbooks/no-leader.md)",
      "lease not released; it expires": "the other replica takes over once the lease has expired; nothing to do",
      "lease not renewed":
        "the worker retries. A leader that cannot renew its lease for ten seconds exits, and the other replica takes over",
      "nothing is changed because of classes at the moment":
        "normal for a moment at startup; otherwise, see [Frozen](../runbooks/Frozen.md)",
      retry:
        "a reconcile of `key` failed, and the worker retries it after `afterMs`. `queue` is `classes`, `components`, `crds`, `rollouts`, or `statuses`. If many retries occur, see [worker behind](../runbooks/worker-behind.md)",
      "something in a class is ignored, or works otherwise than it looks": "`detail` names the field. Tell the author of the class",
      "the API server has not finished deleting a CRD and is made to try again":
        "someone deleted the CRD, and Kubernetes did not finish the deletion; nothing to do. If this happens repeatedly, `kubectl get crd NAME -o yaml` shows what blocks the deletion",
      "the API server has not answered what the worker needs first":
        "the worker retries `call` after `afterMs`, and nothing syncs until the call succeeds. If the failures continue, check the API server and the worker's permissions (`error`)",
      "the fingerprint key was unusable and is replaced; every class is fetched once":
        "someone changed the Secret, so the worker no longer trusts older snapshots. Find out who changed it",
      "work did not end in time; the lease is left to expire":
        "a write took too long while the worker was stopping. The other replica takes over when the lease expires, within half a minute",
      "restarts go on without a kind that cannot be listed":
        "the worker lacks a permission, or a conversion webhook for `kind` is down. The worker restarts only workloads of other kinds. If `kind` is Namespaces, it restarts no workloads, because Namespaces can set pauses and windows. `Rotated` is `Unknown`",
      "request for one workload failed":
        "the API server did not accept `request`: `list` (the workload's pods), `record` (on the workload), `ask` (what might hold its restart), or `restart`. The worker retries after `afterMs`. Restarts of other workloads continue",
      "workload not rotated": "see [RolloutFailed](../runbooks/RolloutFailed.md), or the message",
      "a component was healed":
        "someone edited or deleted the component, and the worker restored it. `detail` names the fields and the last writer. See [healing](healing.md)",
      "a component was restarted": "the component's ServiceAccount was recreated, so its pods had invalid tokens",
      "a copy of a component was not written by this install and is ignored":
        "the copy is forged or changed, or the key is new. The worker copies the live object again",
      "a part of the install is damaged and is not healed":
        "the damage is in a role, a policy, the Namespace, or an immutable field; reapply the manifests",
      "the worker's own Deployment is being deleted in the foreground, which nothing can undo; apply the manifests again":
        "logged by a stopping worker",
      "the worker's own Deployment is gone, and there is no copy of it":
        "the worker does not know what the installer applied; reapply the manifests",
      "the worker's own Deployment is gone; unless this is an uninstall it is applied again":
        "logged by a stopping worker, which waits before it checks again",
      "the worker's own Deployment was not looked at to the end":
        "a stopping worker could not finish the check. The next worker repeats it",
    },
    webhook: {
      "a certificate step failed and is tried again": "see [certificates](../runbooks/certificates.md)",
      "the CA Secret could not be written; its CA still serves": "see [certificates](../runbooks/certificates.md)",
      "the CA bundle cannot be published":
        "see [certificates](../runbooks/certificates.md). During a first install, the configuration is created a moment later",
      "wrote the CA Secret": "the Secret was missing, damaged, or unusable, as `problem` states. Find out who changed it",
    },
  },
};

export const INFORMATION: LogWords = {
  info: {
    both: {
      "kind is not served": "the CRD of `resource` is missing, or its version is not served. The process keeps the objects that it knows",
      "kind is served": "the API server serves the kind",
      started: "the servers are listening. The worker's `crds` lists the CRDs that it heals",
      stopped: "the last line of a clean shutdown",
      stopping: "the process received SIGTERM or SIGINT",
      "watch was silent; listing anew": "no bookmark arrived for a minute, because the connection was dead or etcd was restored",
      "watch history expired; listing anew": "the watch was interrupted for longer than the API server's history; nothing to do",
    },
    sync: {
      "a CRD was healed": "the CRD is healthy again",
      "an event queue is read again": "reading had failed `failures` times; nothing to do",
      "a Secret was changed by others and is as it was again": "at a poll, with `--secret-access=blind`",
      "a Secret was not removed, because it is not ours": "the policy denied the removal, as intended, with `--secret-access=blind`",
      "a class was lost with its CRD and is restored": "nothing to do",
      "became the leader": "this replica is now active",
      "class of a Gateway or Ingress removed":
        "`owner` does not exist or no longer requests this certificate. The worker also deletes its Secret",
      "class switched off":
        "the class author or the cluster operator turned off the sync, as `detail` states. See [SwitchedOff](../runbooks/SwitchedOff.md)",
      "class synced": "the first success, or the first after a failure",
      "class written for a Gateway or Ingress": "`owner` requests a certificate, or a different certificate than before",
      "classes are trusted": "the CRD is healthy, and the worker has read all objects",
      "giving back a Secret": "the worker releases an adopted Secret without changing its content",
      leading: "the leader starts its work",
      "leaving a Secret to another class that names it": "`heir` now writes the Secret",
      "waiting for the fingerprint key, which the first shard makes":
        "logged in a new install with several shards. If nothing follows, check the leader of the first shard",
      "waiting for workers with another number of shards to end":
        "the number of shards was changed. The worker leads as soon as the pods with the other number have ended. If it keeps waiting, the field `holder` names the pod that still runs",
      "released the lease": "the worker stopped cleanly, and the other replica takes over immediately",
      "removing a Secret": "the class was deleted, no longer names the Secret, or is unused, as `why` states",
      "taking over a Secret": "`from` is the previous owner, which agreed, or the driver's sync, which is off",
      "the policies stop what they forbid": "logged at startup, and when missing policies are in force again",
      "workload restarted": "the versions that the workload uses changed, and it requests restarts",
      "workload rotated": "all pods of the workload are ready with the new versions",
      "removing a copy of a Secret": "`why` states which side ended the copy; see [what happens then](copies.md#what-happens-then)",
      "writing a copy of a Secret": "as for `writing a Secret`, in a namespace that accepts copies from the class",
      "writing a Secret": "`action` is `create`, `apply`, or `replace`, and `why` names the difference",
      "a component is left to others": "the manifests that granted the permission were removed",
      "a component was changed by the platform and is left so":
        "`detail` names the fields and the manager. See [healing](healing.md#what-counts-as-damage)",
      "a part of the install is whole again": "the reported damage is repaired",
      "the install is being removed: nothing is healed any more": "someone ran `uninstall --prepare`, or the Namespace is being deleted",
      "the install is healed again": "the uninstall mark was removed",
      "the worker's own Deployment stays deleted": "`why` shows that an uninstall is in progress",
    },
    webhook: {
      "admission review answered": "one line per review, without the message to the user. See [reasons](reasons.md#admission-reasons)",
      "another replica wrote the CA Secret first": "happens at the first start or at a renewal; nothing to do",
      "issued a serving certificate": "`reason` tells you why",
      "preflight warned": "the webhook warned the author about `reasons`; see [preflight](preflight.md)",
      "published the CA bundle": "the API server now trusts the webhook's certificates",
      "serving the certificate in the files": "the webhook read `--tls-cert-file` for the first time or after a change",
      "asking clients for certificates of the CAs in the file":
        "the webhook loaded a changed `--client-ca-file`. `authorities` is the number of CAs in the file",
      "there are no preflight checks": "the preflight configuration, which is optional, is not installed",
      "wrote the CA Secret": "the CA is new, or was renewed as planned",
    },
  },
};
