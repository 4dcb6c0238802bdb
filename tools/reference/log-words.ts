/** What the page of logs says of each message, and what to do: by level, then by the process that logs it. */
export type LogWords = Readonly<Record<string, Readonly<Record<"both" | "sync" | "webhook", Readonly<Record<string, string>>>>>>;

export const WARNINGS: LogWords = {
  error: {
    both: {
      "change handler failed": "a bug of ours, in what follows a change of the object; report it",
      "projection failed": "a bug of ours, with an object that has an unforeseen shape; report it with the kind",
      "reflector stopped": "a bug of ours: a copy is not kept any more. The process restarts by its probe or by you; report it",
      "the process ends because of an error":
        "the error says why: a lost lease, a missing policy with `--secret-access=blind`, a port that is taken. Exit code 1; Kubernetes starts it again",
    },
    sync: {
      "acting on a message of an event queue failed":
        "a bug of ours; the message comes again, and is deleted after ten times. Report it with the frames",
      "waiting between two looks at an event queue failed": "a bug of ours; the queue is looked at again. Report it",
      "not retried": "a look at `key` failed in a way that another try does not mend; a change of the object is looked at again",
    },
    webhook: {
      "a TLS server refused the new certificate": "the one before stays in use; see [certificates](../runbooks/certificates.md)",
      "a new serving certificate cannot be used": "the one before stays in use; see [certificates](../runbooks/certificates.md)",
      "a preflight check failed": "a bug of ours; the object is let through. Report it",
      "the CAs of clients in the file cannot be used": "the list before is kept; correct the ConfigMap or Secret that `problem` is about",
      "decisions no longer rest on what the cluster has":
        "the API server refuses the webhook's token, or a watch has stopped; `problem` says which. See [webhook unavailable](../runbooks/webhook-unavailable.md)",
      "deciding on a pod failed": "a bug of ours; the request is answered with 500. Report it with the frames",
      "the certificate in the files cannot be used": "the one before is served until its end; whoever writes the files has to mend them",
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
        "somebody applied another one, `problem` says what was missing. Again and again: see [Frozen](../runbooks/Frozen.md)",
      "a CRD is gone and is applied again": "somebody deleted it; classes are restored from snapshots. Find out who",
      "an event queue is not read: polls alone see new versions":
        "`problem` says why and what to do; tried again with a back-off. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "messages of an event queue are deleted and not acted on":
        "at most once a minute for each `why`; `event_messages_total` counts them. See [rotate in seconds](../how-to/rotate-in-seconds.md#when-it-does-not-work)",
      "a class was in hand when a worker ended":
        "from a worker that took over after one that died: the class comes last and alone now, and is left alone for a while after a third death. Read the end of the dead one's log; see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class is gone and no snapshot says whether it was meant to: its Secrets stay":
        "delete the Secrets that are named, if it was; make the class anew, if not",
      "a class snapshot was not written by this install and is ignored":
        "forged, of an earlier key, or a later copy of an older one: `why` says which. Delete it if nobody misses its class",
      "a class is too large to be mirrored": "see [InvalidClass](../runbooks/InvalidClass.md)",
      "a status takes too much to be held":
        "`detail` says whether somebody else wrote it, or the large statuses of the namespace are too many: see its [limits](secret-provider-class.md#limits)",
      "a class was given to another provider: its Secrets stay": "see [InvalidClass](../runbooks/InvalidClass.md)",
      "a class was lost with its CRD and is not restored, because --heal leaves classes out: its Secrets stay":
        "make the class anew, or add `classes` to `--heal`",
      "a copy of a Secret has a name that is somebody else's":
        "it is left as it is; `detail` says which. Delete it, or choose another `secretName`",
      "a damaged CRD had cut fields off a class; they are back from its snapshot": "nothing to do; the CRD is what to look at",
      "a certificate of a Gateway or Ingress needs attention":
        "`detail` names the field, or who is in the way, and what to do; see [TLS for Gateways](../how-to/tls-for-gateways.md)",
      "a class of App Routing is left to App Routing":
        "take `name` out of `--gateway-classes` or `--ingress-classes`: the add-on of AKS gives its Gateways and Ingresses their certificates",
      "a mirrored Secret was changed by somebody else, or could not stay":
        "`detail` names who; again and again: see [Contested](../runbooks/Contested.md)",
      "a policy that limits the worker is missing": "see [GuardrailsMissing](../runbooks/GuardrailsMissing.md)",
      "an object's dates need attention": "it expires, has expired or is not valid yet; see [ObjectExpired](../runbooks/ObjectExpired.md)",
      "class is stale": "see [Stale](../runbooks/Stale.md)",
      "class not synced": "once per state; see the [runbook](../runbooks/README.md) of the reason",
      "environment variables that change what a managed identity is are ignored":
        "`variables` are set and have no effect: remove them from the Deployment",
      "event not posted":
        "an event could not be posted: too many of its namespace waited, the API server refused it, or the worker stopped. The state stands in the status all the same. Often: see what refuses, usually a right",
      "fields of a class are not part of its CRD any more and are given up": "an older CRD is in use for good: look at the class",
      "lease not acquired": "tried again; the same",
      "lease not read": "tried again. Lasting: the API server, or the right on the Lease; see [no leader](../runbooks/no-leader.md)",
      "lease not released; it expires": "as above, with the error; nothing to do",
      "lease not renewed": "tried again; a leader that cannot renew for ten seconds ends, and the other replica takes over",
      "nothing is changed because of classes at the moment": "at a start for moments; else see [Frozen](../runbooks/Frozen.md)",
      retry:
        "a look at `key` failed and is made again after `afterMs`; `queue` is `classes`, `components`, `crds`, `rollouts` or `statuses`. Many: see [worker behind](../runbooks/worker-behind.md)",
      "something in a class is ignored, or works otherwise than it looks": "`detail` names the field; tell the author of the class",
      "the API server has not finished deleting a CRD and is made to try again":
        "somebody deleted it, and Kubernetes lost track of that; nothing to do. Again and again: `kubectl get crd NAME -o yaml` says what the API server cannot delete",
      "the API server has not answered what the worker needs first":
        "`call` is made again after `afterMs`, and nothing is mirrored before it is answered. Lasting: the API server, or a right of the worker; `error` says which",
      "the fingerprint key was unusable and is replaced; every class is fetched once":
        "somebody changed the Secret; older snapshots are not trusted any more. Find out who",
      "work did not end in time; the lease is left to expire":
        "at a stop a write took too long; the other replica takes over when the lease ends, within half a minute",
      "restarts go on without a kind that cannot be listed":
        "a right of the worker is missing, or a webhook that converts `kind` is down. Workloads of the kind are not restarted, the others are; without Namespaces none is, because pauses and windows may stand on them. `Rotated` is `Unknown`",
      "request for one workload failed":
        "the API server did not take what the worker asked because of that workload (`request`: a `list` of its pods, a `record` on it, to `ask` what may hold its restart, or its `restart`). Made again after `afterMs`; the other workloads go on",
      "workload not rotated": "see [RolloutFailed](../runbooks/RolloutFailed.md), or the message",
      "a component was healed":
        "somebody edited or deleted it, and it is as its installer left it; `detail` names fields and the last writer. See [healing](healing.md)",
      "a component was restarted": "its ServiceAccount had been deleted, and its pods had tokens that the API server refuses",
      "a copy of a component was not written by this install and is ignored":
        "somebody made or changed it, or the key is a new one; it is taken anew from the live object",
      "a part of the install is damaged and is not healed":
        "roles, policies, the Namespace, or what the API server does not change back: apply the manifests again",
      "the worker's own Deployment is being deleted in the foreground, which nothing can undo; apply the manifests again":
        "from a worker that is told to end",
      "the worker's own Deployment is gone, and there is no copy of it": "no installer is recorded for it: apply the manifests again",
      "the worker's own Deployment is gone; unless this is an uninstall it is applied again":
        "from a worker that is told to end, which waits that long before it looks again",
      "the worker's own Deployment was not looked at to the end":
        "a worker that was told to end could not ask; the next one that starts does",
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
      "kind is not served": "the CRD of `resource` is away, or its version is not served; what was seen of it is kept",
      "kind is served": "the API server has the kind",
      started: "the servers listen; `crds` of the worker: what it heals",
      stopped: "the last line of a clean stop",
      stopping: "SIGTERM or SIGINT came",
      "watch was silent; listing anew":
        "not even a bookmark came for a minute: the connection was dead, or the API server's store was restored",
      "watch history expired; listing anew": "the watch was away for longer than the API server remembers; nothing to do",
    },
    sync: {
      "a CRD was healed": "it is whole again",
      "an event queue is read again": "it had not answered for `failures` times; nothing to do",
      "a Secret was changed by others and is as it was again": "with `--secret-access=blind`, at a poll",
      "a Secret was not removed, because it is not ours": "with `--secret-access=blind`; the policy refused it, which is right",
      "a class was lost with its CRD and is restored": "nothing to do",
      "became the leader": "this replica works from now on",
      "class of a Gateway or Ingress removed": "`owner` is gone, or asks for this certificate no more; its Secret goes with it",
      "class switched off":
        "its author or the operator wants it no longer mirrored; `detail` says by what. See [SwitchedOff](../runbooks/SwitchedOff.md)",
      "class synced": "the first time after a failure, or at all",
      "class written for a Gateway or Ingress": "`owner` asks for a certificate, or for another one",
      "classes are trusted": "the CRD is whole and all copies are there",
      "giving back a Secret": "one that was taken over with its owner's consent; its content stays",
      leading: "the work of the leader begins",
      "leaving a Secret to another class that names it": "`heir` writes it from now on",
      "released the lease": "a clean stop: the other replica takes over at once",
      "removing a Secret": "`why` says by whose doing: the class was deleted, does not name it any more, or is not used",
      "taking over a Secret": "`from` is its owner, who agreed, or the driver's sync, which is off",
      "the policies stop what they forbid": "after a start, or after they did not",
      "workload restarted": "its versions changed and it asks for restarts",
      "workload rotated": "all its pods are ready with the new versions",
      "removing a copy of a Secret":
        "`why` says on whose side: see [what happens then](../how-to/share-a-secret-with-namespaces.md#what-happens-then)",
      "writing a copy of a Secret": "as `writing a Secret`, in a namespace that takes copies of the class",
      "writing a Secret": "`action` is `create`, `apply` or `replace`; `why` says what differed",
      "a component is left to others": "the right to it went with the manifests that had installed it",
      "a component was changed by the platform and is left so":
        "`detail` names fields and manager. See [healing](healing.md#what-counts-as-damage)",
      "a part of the install is whole again": "what was reported is over",
      "the install is being removed: nothing is healed any more": "`uninstall --prepare` was run, or the Namespace is going",
      "the install is healed again": "the mark was taken away",
      "the worker's own Deployment stays deleted": "a sign of an uninstall, named by `why`",
    },
    webhook: {
      "admission review answered":
        "one line per review; the message that the user gets is not logged. See [reasons](reasons.md#admission-reasons)",
      "another replica wrote the CA Secret first": "at a first start, or at a renewal; nothing to do",
      "issued a serving certificate": "`reason` says why now",
      "preflight warned": "the author was warned of `reasons`; see [preflight](preflight.md)",
      "published the CA bundle": "the API server trusts our certificates from now on",
      "serving the certificate in the files": "`--tls-cert-file` was read, or has changed",
      "asking clients for certificates of the CAs in the file":
        "`--client-ca-file` has changed and is in use; `authorities` is how many it has",
      "there are no preflight checks": "the configuration of preflight is not installed, which is a choice",
      "wrote the CA Secret": "a new CA, or one that was renewed as planned",
    },
  },
};
