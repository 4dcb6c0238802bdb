/** What the page of logs says of each message, and what to do: by level, then by the process that logs it. */
export type LogWords = Readonly<Record<string, Readonly<Record<"both" | "sync" | "webhook", Readonly<Record<string, string>>>>>>;

export const WARNINGS: LogWords = {
  error: {
    both: {
      "change handler failed": "a bug, in what follows a change of the object; report it",
      "projection failed": "a bug, with an object that has an unforeseen shape; report it with the kind",
      "reflector stopped": "a bug: a copy is no longer kept. Its probe restarts the process, or you do; report it",
      "the process ends because of an error":
        "the error says why: a lost lease, a missing policy with `--secret-access=blind`, a port that is taken. Exit code 1; Kubernetes starts it again",
    },
    sync: {
      "acting on a message of an event queue failed":
        "a bug; the queue delivers the message again, and it is deleted after ten times. Report it with the frames",
      "waiting between two looks at an event queue failed": "a bug; the worker reads the queue again. Report it",
      "not retried": "a reconcile of `key` failed, and a retry would not help; a change of the object is reconciled",
    },
    webhook: {
      "a TLS server refused the new certificate": "the previous one stays in use; see [certificates](../runbooks/certificates.md)",
      "a new serving certificate cannot be used": "the previous one stays in use; see [certificates](../runbooks/certificates.md)",
      "a preflight check failed": "a bug; the object is admitted. Report it",
      "the CAs of clients in the file cannot be used": "the list before is kept; correct the ConfigMap or Secret that `problem` is about",
      "decisions no longer rest on what the cluster has":
        "the API server refuses the webhook's token, or a watch has stopped; `problem` says which. See [webhook unavailable](../runbooks/webhook-unavailable.md)",
      "deciding on a pod failed": "a bug; the request is answered with 500. Report it with the frames",
      "the certificate in the files cannot be used": "the previous one is served until it expires; correct the files at their source",
    },
  },
  warn: {
    both: {
      "list or watch failed": "tried again after `delayMs`. Lasting: the API server, or a right on `resource`",
      "the API server's versions went back; listing anew":
        "its store was restored from a backup; nothing to do here. Objects of after the backup are gone",
      "watch sent an error; listing anew": "the API server ended a watch with an error; nothing to do",
      "whether another instance is installed is not known":
        "the process may not read the webhook configuration; see that `keyvault-injector-instance` is bound",
    },
    sync: {
      "a CRD is damaged and is repaired":
        "someone applied another one; `problem` names the missing parts. If repeated, see [Frozen](../runbooks/Frozen.md)",
      "a CRD is gone and is applied again": "somebody deleted it; classes are restored from snapshots. Find out who",
      "an event queue is not read: polls alone see new versions":
        "`problem` says why and what to do; tried again with a back-off. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "messages of an event queue are deleted and not acted on":
        "at most once a minute for each `why`; `event_messages_total` counts them. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "a class was in hand when a worker ended":
        "a worker took over after a crash: the class now comes last and alone, and pauses after a third crash. Read the end of the crashed worker's log; see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class is gone and no snapshot says whether it was meant to: its Secrets stay":
        "if it was, delete the named Secrets; if not, create the class again",
      "a class snapshot was not written by this install and is ignored":
        "forged, of an earlier key, or a later copy of an older one: `why` says which. Delete it if nobody misses its class",
      "a class is too large to be mirrored": "see [InvalidClass](../runbooks/InvalidClass.md)",
      "a status takes too much to be held":
        "someone else wrote it, or the namespace has too many large statuses (`detail`): see the [limits](secret-provider-class.md#limits)",
      "a class was given to another provider: its Secrets stay": "see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class was lost with its CRD and is not restored, because --heal leaves classes out: its Secrets stay":
        "create the class again, or add `classes` to `--heal`",
      "a copy of a Secret has a name that is somebody else's":
        "the worker does not change it; `detail` names it. Delete it, or choose another `secretName`",
      "a damaged CRD had cut fields off a class; they are back from its snapshot": "nothing to do here; check the CRD",
      "a certificate of a Gateway or Ingress needs attention":
        "`detail` names the field or the other owner, and what to do; see [TLS for Gateways](../how-to/tls-for-gateways.md)",
      "a class of App Routing is left to App Routing":
        "take `name` out of `--gateway-classes` or `--ingress-classes`: the add-on of AKS gives its Gateways and Ingresses their certificates",
      "a mirrored Secret was changed by somebody else, or could not stay":
        "`detail` names the writer; if repeated, see [Contested](../runbooks/Contested.md)",
      "a policy that limits the worker is missing": "see [GuardrailsMissing](../runbooks/GuardrailsMissing.md)",
      "an object's dates need attention": "it expires, has expired or is not valid yet; see [ObjectExpired](../runbooks/ObjectExpired.md)",
      "class is stale": "see [Stale](../runbooks/Stale.md)",
      "class not synced": "once per state; see the [runbook](../runbooks/README.md) of the reason",
      "environment variables that change what a managed identity is are ignored":
        "`variables` are set and have no effect: remove them from the Deployment",
      "event not posted":
        "an event could not be posted: too many of its namespace waited, the API server refused it, or the worker stopped. The status has the state anyway. If frequent, find the missing permission",
      "fields of a class are not part of its CRD any more and are given up": "an older CRD stays in use: check the class",
      "lease not acquired": "tried again; the same",
      "lease not read": "tried again. Lasting: the API server, or the right on the Lease; see [no leader](../runbooks/no-leader.md)",
      "lease not released; it expires": "as above, with the error; nothing to do",
      "lease not renewed": "tried again; a leader that cannot renew for ten seconds ends, and the other replica takes over",
      "nothing is changed because of classes at the moment": "at a start for moments; else see [Frozen](../runbooks/Frozen.md)",
      retry:
        "a reconcile of `key` failed and is retried after `afterMs`; `queue` is `classes`, `components`, `crds`, `rollouts` or `statuses`. Many: see [worker behind](../runbooks/worker-behind.md)",
      "something in a class is ignored, or works otherwise than it looks": "`detail` names the field; tell the author of the class",
      "the API server has not finished deleting a CRD and is made to try again":
        "someone deleted it, and Kubernetes lost track; nothing to do. If repeated, `kubectl get crd NAME -o yaml` shows what blocks the deletion",
      "the API server has not answered what the worker needs first":
        "`call` is retried after `afterMs`, and nothing syncs before its answer. If lasting, check the API server or the worker's permissions (`error`)",
      "the fingerprint key was unusable and is replaced; every class is fetched once":
        "somebody changed the Secret; older snapshots are not trusted any more. Find out who",
      "work did not end in time; the lease is left to expire":
        "at a stop a write took too long; the other replica takes over when the lease ends, within half a minute",
      "restarts go on without a kind that cannot be listed":
        "a permission of the worker is missing, or a webhook that converts `kind` is down. Only workloads of other kinds are restarted; without Namespaces, which may have pauses and windows, none is. `Rotated` is `Unknown`",
      "request for one workload failed":
        "the API server did not accept a request for that workload (`request`: a `list` of its pods, a `record` on it, to `ask` what may hold its restart, or its `restart`). Retried after `afterMs`; other workloads continue",
      "workload not rotated": "see [RolloutFailed](../runbooks/RolloutFailed.md), or the message",
      "a component was healed":
        "someone edited or deleted it, and the worker restored it; `detail` names fields and the last writer. See [healing](healing.md)",
      "a component was restarted": "its ServiceAccount was recreated, and its pods had invalid tokens",
      "a copy of a component was not written by this install and is ignored":
        "it is forged or changed, or the key is new; the worker copies the live object again",
      "a part of the install is damaged and is not healed":
        "roles, policies, the Namespace, or an immutable field: apply the manifests again",
      "the worker's own Deployment is being deleted in the foreground, which nothing can undo; apply the manifests again":
        "from a stopping worker",
      "the worker's own Deployment is gone, and there is no copy of it": "no installer is recorded for it: apply the manifests again",
      "the worker's own Deployment is gone; unless this is an uninstall it is applied again":
        "from a stopping worker, which waits that long before it checks again",
      "the worker's own Deployment was not looked at to the end": "a stopping worker could not check; the next one does",
    },
    webhook: {
      "a certificate step failed and is tried again": "see [certificates](../runbooks/certificates.md)",
      "the CA Secret could not be written; its CA still serves": "see [certificates](../runbooks/certificates.md)",
      "the CA bundle cannot be published":
        "see [certificates](../runbooks/certificates.md); at a first install the configuration comes a moment later",
      "wrote the CA Secret": "it was gone, damaged or not usable; `problem` says which. Find out who changed it",
    },
  },
};

export const INFORMATION: LogWords = {
  info: {
    both: {
      "kind is not served": "the CRD of `resource` is missing, or its version is not served; known objects are kept",
      "kind is served": "the API server has the kind",
      started: "the servers listen; `crds` of the worker: what it heals",
      stopped: "the last line of a clean stop",
      stopping: "SIGTERM or SIGINT came",
      "watch was silent; listing anew":
        "not even a bookmark came for a minute: the connection was dead, or the API server's store was restored",
      "watch history expired; listing anew": "the watch was away for longer than the API server remembers; nothing to do",
    },
    sync: {
      "a CRD was healed": "it is healthy again",
      "an event queue is read again": "it had not answered for `failures` times; nothing to do",
      "a Secret was changed by others and is as it was again": "with `--secret-access=blind`, at a poll",
      "a Secret was not removed, because it is not ours": "with `--secret-access=blind`; the policy refused it, which is right",
      "a class was lost with its CRD and is restored": "nothing to do",
      "became the leader": "this replica works from now on",
      "class of a Gateway or Ingress removed": "`owner` is gone, or no longer asks for this certificate; its Secret is deleted too",
      "class switched off":
        "its author or the operator switched its sync off; `detail` names how. See [SwitchedOff](../runbooks/SwitchedOff.md)",
      "class synced": "the first time after a failure, or at all",
      "class written for a Gateway or Ingress": "`owner` asks for a certificate, or for another one",
      "classes are trusted": "the CRD is healthy and all copies are complete",
      "giving back a Secret": "an adopted one; its content stays",
      leading: "the work of the leader begins",
      "leaving a Secret to another class that names it": "`heir` writes it from now on",
      "released the lease": "a clean stop: the other replica takes over at once",
      "removing a Secret": "`why` has the cause: the class was deleted, no longer names it, or is not used",
      "taking over a Secret": "`from` is its owner, who agreed, or the driver's sync, which is off",
      "the policies stop what they forbid": "after a start, or after they did not",
      "workload restarted": "its versions changed and it asks for restarts",
      "workload rotated": "all its pods are ready with the new versions",
      "removing a copy of a Secret": "`why` names the side: see [what happens then](copies.md#what-happens-then)",
      "writing a copy of a Secret": "as `writing a Secret`, in a namespace that takes copies of the class",
      "writing a Secret": "`action` is `create`, `apply` or `replace`; `why` says what differed",
      "a component is left to others": "the permission was removed with its manifests",
      "a component was changed by the platform and is left so":
        "`detail` names fields and manager. See [healing](healing.md#what-counts-as-damage)",
      "a part of the install is whole again": "the reported damage is over",
      "the install is being removed: nothing is healed any more": "`uninstall --prepare` was run, or the Namespace is being deleted",
      "the install is healed again": "the mark was removed",
      "the worker's own Deployment stays deleted": "a sign of an uninstall, named by `why`",
    },
    webhook: {
      "admission review answered":
        "one line per review; the message that the user gets is not logged. See [reasons](reasons.md#admission-reasons)",
      "another replica wrote the CA Secret first": "at a first start, or at a renewal; nothing to do",
      "issued a serving certificate": "`reason` says why now",
      "preflight warned": "the author was warned of `reasons`; see [preflight](preflight.md)",
      "published the CA bundle": "the API server trusts the webhook's certificates from now on",
      "serving the certificate in the files": "`--tls-cert-file` was read, or has changed",
      "asking clients for certificates of the CAs in the file":
        "`--client-ca-file` has changed and is in use; `authorities` is how many it has",
      "there are no preflight checks": "the configuration of preflight is not installed, which is a choice",
      "wrote the CA Secret": "a new CA, or one that was renewed as planned",
    },
  },
};
