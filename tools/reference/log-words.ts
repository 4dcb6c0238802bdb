/** Meaning and fix of each message on the logs page, by level, then by the process that logs it. */
export type LogWords = Readonly<Record<string, Readonly<Record<"both" | "sync" | "webhook", Readonly<Record<string, string>>>>>>;

export const WARNINGS: LogWords = {
  error: {
    both: {
      "change handler failed": "a bug in handling a changed object. Report the bug",
      "projection failed": "a bug in handling an unexpected object. Report the bug with the kind of the object",
      "reflector stopped":
        "a bug. The process no longer watches the kind in `resource`. Report the bug. If the liveness probe does not restart the process, restart it yourself",
      "the process ends because of an error":
        "`error` gives the reason: for example, the worker lost its lease, a port is in use, or a policy is missing while `--secret-access=blind` is set. The process exits with code 1, and Kubernetes restarts it",
    },
    sync: {
      "processing a message of an event queue failed":
        "a bug. The queue redelivers the message, and the worker deletes the message after 30 deliveries. Report the bug with the content of `error`",
      "waiting between two reads of an event queue failed": "a bug. The worker continues to read the queue. Report the bug",
      "not retried":
        "a reconcile of the object in `key` failed, and a retry would not help. `error` gives the cause. The worker reconciles the object again only after it changes",
    },
    webhook: {
      "a TLS server refused the new certificate":
        "the webhook keeps the previous certificate; see [certificates](../runbooks/certificates.md)",
      "a new serving certificate cannot be used":
        "the webhook keeps the previous certificate; see [certificates](../runbooks/certificates.md)",
      "a preflight check failed": "a bug. The webhook admits the object. Report the bug",
      "the CAs of clients in the file cannot be used":
        "the webhook continues to use the previous CAs. Correct the ConfigMap or Secret that contains the CAs. `problem` states what is wrong",
      "decisions are based on outdated cluster state":
        "`problem` gives the cause: the API server rejects the webhook's token, or a watch has stopped. See [webhook unavailable](../runbooks/webhook-unavailable.md)",
      "failed to decide on a pod": "a bug. The webhook returns HTTP 500. Report the bug with the stack trace in `frames`",
      "the certificate in the files cannot be used":
        "`problem` states what is wrong. Until you correct the files at their source, the webhook serves the previous certificate, if there is one. `kept` states until when that certificate is valid",
    },
  },
  warn: {
    both: {
      "list or watch failed":
        "the process retries after `delayMs`. If the failures continue, check the API server, and the permissions of the process on the kind in `resource`",
      "the API server's resource versions went backwards; listing again":
        "etcd was restored from a backup, so the cluster has lost the objects created after that backup. The process recovers by itself",
      "watch sent an error; listing again": "the API server ended a watch with an error; nothing to do",
      "cannot determine whether another instance is installed":
        "the process lacks permission to read the webhook configuration, and starts without checking for another install. Check that the role `keyvault-injector-instance` is bound",
    },
    sync: {
      "a CRD is damaged; repairing it":
        "someone applied a different CRD. `problem` lists the missing parts, which the worker restores. If this happens repeatedly, see [Frozen](../runbooks/Frozen.md)",
      "a CRD is missing; applying it again":
        "someone deleted the CRD. The worker applies the CRD again, and restores the classes from snapshots. Find out who deleted the CRD",
      "an event queue cannot be read; only polls detect new versions":
        "`problem` gives the cause and the remedy. The worker retries with a backoff. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "deleting messages of an event queue without processing them":
        "`why` gives the reason. The worker logs each reason at most once per minute. `keyvault_injector_event_messages_total` counts the messages. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "a worker ended while it handled a class":
        "a worker crashed while it handled the class. The next leader handles the class last, separately from the others, and pauses it after the third crash. Read the log of the worker that crashed, and see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class is gone, and no snapshot shows whether the deletion was intentional; its Secrets are kept":
        "if the deletion was intentional, delete the Secrets that `secrets` lists. Otherwise, recreate the class",
      "a class snapshot was not written by this install and is ignored":
        "`why` states why the worker does not trust the snapshot. The snapshot is forged, was signed with an earlier key, or was created later as a copy of an earlier snapshot. The worker never restores a class from it. If nobody needs the class in the snapshot, delete the snapshot. Otherwise, recreate the class yourself",
      "a class is too large to sync": "`detail` contains the limit that the class exceeds. See [InvalidClass](../runbooks/InvalidClass.md)",
      "a status is too large to keep":
        "`detail` gives the cause. If someone else wrote the status, the worker rewrites it. If the large statuses of the namespace are too large in total, the worker fetches all objects of the class at each reconcile. See the [limits](secret-provider-class.md#limits)",
      "a Secret is too large to keep":
        "the metadata of the Secret, together with that of other large Secrets, does not fit into the worker's memory. The worker keeps the Secret up to date, but does not restart the workloads that use it. See the [limits](secret-provider-class.md#limits)",
      "a class was changed to another provider; its Secrets are kept":
        "someone changed the provider of a synced class; see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class was lost with its CRD and is not restored, because --heal excludes classes; its Secrets are kept":
        "recreate the class. If the worker should restore lost classes from now on, add `classes` to `--heal`",
      "a copy of a Secret has the name of someone else's Secret":
        "a Secret of another owner already has the name of the copy, so the worker does not write the copy. `detail` contains the name. If nobody needs the other Secret, delete it. Otherwise, choose another `secretName`",
      "a damaged CRD had removed fields of a class; the worker restored them from its snapshot":
        "the worker has restored the fields of the class. Find out who damaged the CRD",
      "a certificate of a Gateway or Ingress needs attention":
        "`detail` gives the cause, such as an invalid field or an object that belongs to someone else, and the remedy. See [TLS for Gateways](../how-to/tls-for-gateways.md)",
      "a Gateway or Ingress class belongs to App Routing and is ignored":
        "the AKS add-on App Routing provides the certificates for the GatewayClass or IngressClass in `name`. Remove `name` from `--gateway-classes` or `--ingress-classes`",
      "a synced Secret was changed by someone else, or the worker had to replace it":
        "`detail` states what happened and, if someone changed the Secret, who did. If this happens repeatedly, see [Contested](../runbooks/Contested.md)",
      "a policy that limits the worker is missing":
        "the policy in `detail` is missing or does not deny, or the worker cannot test it. See [GuardrailsMissing](../runbooks/GuardrailsMissing.md)",
      "an object's dates need attention":
        "the object expires soon, has expired, or is not valid yet; see [ObjectExpired](../runbooks/ObjectExpired.md)",
      "class is stale": "the last successful check of the class is too old. `detail` gives the reason. See [Stale](../runbooks/Stale.md)",
      "class not synced":
        "the worker cannot sync the class. Follow the [runbook](../runbooks/README.md) for the reason in `reason`. The worker logs each problem once",
      "ignoring environment variables that would change the managed identity":
        "the environment variables in `variables` have no effect. Remove them from the Deployment",
      "event not posted":
        "the worker did not post an event, because too many events of the namespace were waiting, the API server rejected the event, or the worker stopped. If `error` shows that the API server rejects events, check the worker's permissions",
      "fields of a class are no longer part of its CRD and are dropped":
        "the CRD in use does not define these fields, for example because the driver was rolled back. Check whether the class still works as intended",
      "leases not listed":
        "the worker could not list the Leases of all shards, and retries. If the failures continue, see [no leader](../runbooks/no-leader.md)",
      "lease not acquired":
        "the worker could not take over the Lease, and retries. If the failures continue, see [no leader](../runbooks/no-leader.md)",
      "lease not read":
        "the worker could not read the Lease, and retries. If the failures continue, check the API server, and the worker's permissions on the Lease. See [no leader](../runbooks/no-leader.md)",
      "lease of a former shard not cleared":
        "the worker lacks permission to remove outdated annotations from the Lease of a shard that no longer exists. Apply the manifests of this version, whose Role lists the Leases of all shards. The worker continues to lead. However, if you set the former number of shards again, the leader of that shard reads the outdated times of polls, and might poll too late",
      "lease not released; it expires": "the other replica takes over once the lease has expired; nothing to do",
      "lease not renewed":
        "the worker retries. A leader that cannot renew its lease for ten seconds exits, and the other replica takes over",
      "acting on classes is suspended":
        "the worker does not reconcile classes, for the reason in `why`. This is normal for a moment at startup. If the suspension lasts longer, see [Frozen](../runbooks/Frozen.md)",
      retry:
        "a reconcile of `key` failed, and the worker retries it after `afterMs`. `queue` gives the kind of work: `classes`, `components`, `crds`, `rollouts`, or `statuses`. If many retries occur, see [worker behind](../runbooks/worker-behind.md)",
      "class has a setting that is ignored":
        "`detail` contains the field that is ignored or has an unexpected effect. Tell the author of the class",
      "the API server has not finished deleting a CRD; triggering another attempt":
        "Kubernetes did not finish the deletion of the CRD; nothing to do. If this happens repeatedly, `kubectl get crd NAME -o yaml` shows what blocks the deletion",
      "the API server has not answered the worker's first requests":
        "the worker retries the request in `call` after `afterMs`, and syncs no class until the request succeeds. If the failures continue, read `error`, and check the API server and the worker's permissions",
      "the fingerprint key was unusable and has been replaced; every class is fetched once":
        "someone changed the Secret in `secret`, and the worker wrote a new key to it. The worker now fetches every class once, and ignores snapshots that were signed with the earlier key. Find out who changed the Secret",
      "the fingerprint key was missing or damaged and has been restored":
        "someone deleted or changed the Secret in `secret` while the worker was running. The worker restored the key that it uses. Find out who changed the Secret",
      "the fingerprint key could not be checked or restored":
        "the worker checks the Secret in `secret` once a minute, and will retry. If the failures continue, read `error`, and check the API server and the worker's permissions",
      "work did not end in time; the lease is left to expire":
        "a write took too long while the worker was stopping. The other replica takes over when the lease expires, within half a minute",
      "restarts continue without a kind that cannot be listed":
        "the worker lacks permission to list `kind`, or a conversion webhook for `kind` is down. Restore the permission or the webhook. Meanwhile, the worker restarts only workloads of other kinds, and the condition `Rotated` is `Unknown`. If `kind` is Namespaces, the worker restarts no workloads, because Namespaces can set pauses and windows",
      "request for one workload failed":
        "the API server did not accept the request in `request`: `list` (list the pods of the workload), `record` (write annotations on the workload), `ask` (read the objects that can hold back its restart, or the workload itself), or `restart` (restart the workload). The worker retries after `afterMs`. Restarts of other workloads continue",
      "workload not rotated":
        "a restart failed or cannot begin. `reason` contains one of the [reasons for restarts](reasons.md#restarts), and `detail` gives the cause",
      "a component was healed":
        "someone edited or deleted the component, and the worker restored it. `detail` contains the changed fields and the last writer. See [healing](healing.md)",
      "a component was restarted":
        "the component's ServiceAccount was recreated, so the component's pods had invalid tokens. The worker restarted them",
      "a copy of a component was not written by this install and is ignored":
        "someone forged or changed the copy, or the install has a new key. The worker makes a new copy from the object in the cluster",
      "a part of the install is damaged and is not healed":
        "the worker cannot repair the component in `component`, for example because the damage is in a role, a policy, the Namespace of the install, or an immutable field. `detail` gives the cause. Reapply the manifests",
      "the worker's own Deployment is being deleted in the foreground, which nothing can undo; apply the manifests again":
        "someone deleted the Deployment with foreground propagation. Kubernetes then first deletes all pods of the worker, so no worker remains that could restore the Deployment. A worker that is stopping logs this message. Reapply the manifests",
      "the worker's own Deployment is gone, and there is no copy of it":
        "without a copy, the worker does not know what the installer applied. Reapply the manifests",
      "the worker's own Deployment is gone; applying it again, unless this is an uninstall":
        "a worker that is stopping logs this message, and applies the Deployment again after `afterMs`, unless an uninstall is in progress",
      "the check of the worker's own Deployment was not completed":
        "a worker could not finish the check while it was stopping. The next worker repeats the check",
    },
    webhook: {
      "a certificate step failed; retrying": "`problem` gives the cause. See [certificates](../runbooks/certificates.md)",
      "the CA Secret could not be written; its CA still serves":
        "`problem` states why the webhook has to write the Secret, and `error` why the write failed. Until a later attempt succeeds, the webhook uses the CA in the Secret. See [certificates](../runbooks/certificates.md)",
      "the CA bundle cannot be published":
        "this is normal in a first install, until the webhook configuration exists. Otherwise, see [certificates](../runbooks/certificates.md)",
      "wrote the CA Secret":
        "the content of the CA Secret was damaged or unusable, and the webhook replaced it. `problem` states what was wrong, and `action` what the webhook did. Find out who changed the Secret",
    },
  },
};

export const INFORMATION: LogWords = {
  info: {
    both: {
      "kind is not served":
        "the CRD of `resource` is missing, or the API server does not serve the required version. The process keeps the objects that it already knows",
      "kind is served": "the API server serves the kind again, or for the first time",
      started: "the servers are listening. In the worker's log, `crds` lists the CRDs that the worker heals",
      stopped: "the process stopped cleanly. This is its last log line",
      stopping: "the process received SIGTERM or SIGINT",
      "watch was silent; listing again":
        "the API server sent nothing on the watch for a minute, because the connection was broken, or because etcd was restored from a backup. The process recovers by itself",
      "watch history expired; listing again":
        "the watch was interrupted for longer than the API server keeps the history of changes; nothing to do",
    },
    sync: {
      "a CRD was healed": "the CRD is healthy again",
      "an event queue can be read again": "the worker can read the queue again, after `failures` failed attempts; nothing to do",
      "a Secret was changed by someone else, and the worker restored it":
        "with `--secret-access=blind`, the worker found and reverted the change at a poll",
      "a Secret was not removed, because the worker does not own it":
        "with `--secret-access=blind`, a policy prevented the worker from removing a Secret of another owner. This is intended",
      "a class was lost with its CRD and has been restored": "the worker recreated the class from its snapshot; nothing to do",
      "became the leader": "this replica is now active",
      "class of a Gateway or Ingress removed":
        "the Gateway or Ingress in `owner` does not exist, or no longer requests this certificate. The worker also deletes the Secret of the class",
      "sync of a class is turned off":
        "`detail` states what turned off the sync: the class author, the cluster operator, or App Routing, which created the class. See [SwitchedOff](../runbooks/SwitchedOff.md)",
      "class synced": "the class synced for the first time, or again after a failure",
      "class written for a Gateway or Ingress": "the Gateway or Ingress in `owner` requests a certificate, or now requests a different one",
      "acting on classes": "the CRD is healthy, and the worker has read all objects, so it now reconciles classes",
      "returning a Secret to its previous owner":
        "the class no longer uses an adopted Secret, for the reason in `why`. The worker stops managing the Secret, and leaves its content unchanged",
      leading: "the leader starts its work. With shards, `lease` shows which shard it handles, and `shards` is the number of shards",
      "handing a Secret over to another class that names it": "the class in `nextOwner` now writes the Secret",
      "waiting for the fingerprint key, which the first shard creates":
        "this is normal in a new install with shards. If the message `leading` does not follow, check the leader of the first shard",
      "waiting for workers with another number of shards to end":
        "someone changed the number of shards. The worker becomes the leader once the pods with the other number have ended. `holder` contains the name of a pod that is still running",
      "released the lease": "the worker stopped cleanly, and the other replica takes over immediately",
      "removing a Secret": "`why` states whether the class was deleted, no longer lists the Secret, or is unused",
      "taking over a Secret":
        "`from` is `owner` if the previous owner agreed to the takeover, or `driver` if the CSI driver's own sync, which is now off, created the Secret",
      "the policies deny what they forbid":
        "the policies that limit the worker are in force. The worker logs this message at startup, and when missing policies are in force again",
      "workload restarted":
        "the worker restarted the workload, because the workload requests restarts and the object versions that it uses changed",
      "workload rotated":
        "with the reason `Rotated`: all pods of the workload are ready with the new versions. With the reason `AwaitingFiles`: the workload waits for its mounted files; see `detail`",
      "removing a copy of a Secret":
        "`why` gives the reason: the class no longer lists the copy, the namespace of the copy no longer accepts it, or the original Secret is gone. See [the rules for copies](copies.md#how-copies-behave)",
      "writing a copy of a Secret":
        "`secret` is a copy in another namespace. `action` is `create`, `apply` (change the copy), or `replace` (delete and recreate the copy). With `apply` and `replace`, `why` states how the copy differed from its desired state",
      "writing a Secret":
        "`action` is `create`, `apply` (change the Secret), or `replace` (delete and recreate the Secret). With `apply` and `replace`, `why` states how the Secret differed from its desired state",
      "the worker does not heal a component":
        "the worker has had no permission to heal the component for at least five minutes, because the manifests that granted this permission were removed. The worker deleted its copy of the component",
      "the platform changed a component, and the worker leaves the change":
        "`detail` contains the changed fields and their field manager. See [healing](healing.md#what-counts-as-damage)",
      "a part of the install is intact again": "the reported damage is repaired",
      "the install is being removed; healing has stopped":
        "someone ran `uninstall --prepare`, or the Namespace of the install is being deleted",
      "the install is no longer being removed; healing has resumed": "someone removed the mark that `uninstall --prepare` had set",
      "the worker's own Deployment stays deleted": "`why` states how the worker recognized that an uninstall is in progress",
    },
    webhook: {
      "admission review answered":
        "the webhook logs one line for each review. The line does not contain the message to the user. See [reasons](reasons.md#admission-reasons)",
      "another replica wrote the CA Secret first": "this can happen at the first start or at a renewal; nothing to do",
      "issued a serving certificate": "the webhook issued the certificate for the reason in `reason`",
      "preflight warned": "the webhook warned the user who applied the object, for the reasons in `reasons`. See [preflight](preflight.md)",
      "published the CA bundle": "the API server now trusts the webhook's certificates",
      "serving the certificate in the files": "the webhook read `--tls-cert-file` for the first time or after a change",
      "asking clients for certificates of the CAs in the file":
        "the webhook loaded a changed `--client-ca-file`. `authorities` is the number of CAs in the file",
      "there are no preflight checks": "the preflight configuration, which is optional, is not installed",
      "wrote the CA Secret":
        "`reason` is `SecretMissing` if the Secret did not exist, as in a new install, or `NearExpiry` if the webhook renewed the CA as planned",
    },
  },
};
