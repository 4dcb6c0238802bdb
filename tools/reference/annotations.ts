/** The page of annotations. Keys, defaults and messages come from the code. The meaning of each key is written here. */
import * as annotations from "../../src/domain/annotations.ts";
import { NEVER_DEFAULTS } from "../../src/domain/injection/effective-annotations.ts";
import { DENIALS, FIXES, PROBLEMS, WARNINGS } from "../../src/domain/injection/messages.ts";
import { DEFAULT_CREDENTIALS_SECRET, DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "../../src/domain/injection/settings.ts";
import { code, type Places, table } from "./page.ts";

const { POD_ANNOTATIONS, CLASS_ANNOTATIONS } = annotations;

/** Markdown. Without `default`, the annotation has no default. */
interface KeyWords {
  readonly default?: string;
  readonly means: string;
}

const ON_PODS: Readonly<Record<keyof typeof POD_ANNOTATIONS, KeyWords>> = {
  inject: {
    means:
      '`"true"` opts the pod in. With `"false"` or without the annotation, the webhook injects nothing. It denies pods with any other value',
  },
  secretProviderClass: {
    default: "required",
    means:
      "name of a SecretProviderClass in the pod's namespace, or a comma-separated list of up to 16 names. The webhook adds a separate volume for each class",
  },
  credentialsSecret: {
    default: code(DEFAULT_CREDENTIALS_SECRET),
    means:
      "name of a Secret in the pod's namespace, to which `nodePublishSecretRef` in the volume refers. `none` omits `nodePublishSecretRef`. A name on the pod always applies. Without one, the webhook uses the name on the Namespace or, if there is none, the default, but only for a class that uses a service principal, or that the webhook cannot find or read. For a class that it cannot find or read, the webhook also returns a warning",
  },
  mountPath: {
    default: code(DEFAULT_MOUNT_PATH),
    means: "absolute path of the mount (see [mount paths](#mount-paths)). With several classes, the path is `<path>/<class>`",
  },
  volumeName: {
    default: code(DEFAULT_VOLUME_NAME),
    means:
      "name of the volume, which must be a DNS label. With several classes, the name is `<name>-<class>`. If that name is not a DNS label, the webhook shortens it and adds a hash",
  },
  containers: {
    default: "all, including init containers and native sidecars",
    means:
      "comma-separated list of container names. `-name` excludes a container, even if another webhook adds the container later. See [containers](#containers)",
  },
  envFrom: {
    means:
      "comma-separated list of up to 32 Secrets. The webhook adds them to the selected containers as `envFrom` entries; see [environment variables](#environment-variables)",
  },
  restartOnRotation: {
    default: '`"false"`',
    means:
      'with `"true"`, the worker [restarts](../how-to/restart-on-rotation.md) the Deployment, StatefulSet, or DaemonSet when the object versions that the workload uses change',
  },
  restartWindow: {
    default: "`--restart-window`",
    means:
      "[times when restarts of the workload can begin](../how-to/restart-on-rotation.md#when): `always`, or a window such as `0 22 * * MON-FRI for 4h in Europe/Berlin`. A value on the workload overrides a value on the pod template",
  },
  rotated: {
    default: "written by the worker",
    means:
      "the restart stamp, which is a hash of the object versions in the pods. The worker also records the stamp on the workload itself. The webhook never denies a pod because of this annotation",
  },
  status: {
    default: "written by the webhook",
    means:
      "JSON with the program version, the classes, and the volumes. The webhook sets this annotation on each pod that it injects, unless the pod's annotations would then exceed 256 KiB. The webhook never reads this annotation",
  },
};

const ON_CLASSES: Readonly<Record<keyof typeof CLASS_ANNOTATIONS, KeyWords>> = {
  sync: {
    default: "`--sync-mode`",
    means:
      "`always`: the worker syncs the class even if no pod mounts it. `while-used`: the worker keeps the Secrets while a pod has a CSI volume for the class, and for the time in `--unused-grace` after the last of these pods is gone. `never`: the worker leaves existing Secrets unchanged, and the class reports `SwitchedOff`. The worker also leaves classes that App Routing created, unless they have this annotation",
  },
  credentialsSecret: {
    default: "the credentials Secret of the pods that mount the class, if they all use the same one; otherwise, `secrets-store-creds`",
    means: "name of a Secret with the keys `clientid` and `clientsecret`. The name must be in `--credentials-secret-names`",
  },
  serviceAccount: {
    default: "the ServiceAccount of the pods that mount the class, if they all use the same one",
    means:
      "ServiceAccount whose token the worker exchanges if the class has a `clientID`. Without this annotation, the class reports `IdentityUnavailable` if no pod mounts the class, or if pods with different ServiceAccounts mount it",
  },
  rotationPollInterval: {
    default: "`--rotation-poll-interval`",
    means:
      "longest time between two checks of the class, as a Go duration such as `30s` or `1h`. The minimum is `10s`. Changes take effect immediately. Classes with the same vault and identity share the lists of the vault's objects, so the worker can detect changes earlier if another of these classes has a shorter interval",
  },
  refresh: {
    means:
      "any value. After each change to the value, the worker immediately fetches the objects of the class. It retries until the vault responds, and then records the first 256 characters of the value in the status. Because of this record, a new leader neither loses nor repeats the request",
  },
  adopt: {
    means:
      "comma-separated list of existing Secrets that the class takes over. Each Secret must have the annotation `keyvault-injector.dev/adoptable-by` with the name of the class. The worker never deletes these Secrets, but [releases them](../how-to/migrate-from-the-drivers-sync.md#existing-secrets-of-your-own). The annotation has no effect with `--secret-access=blind`",
  },
  mirrorTo: {
    means:
      "comma-separated list of up to 64 other namespaces to which the worker [copies the class's Secrets](../how-to/share-a-secret-with-namespaces.md). The annotation `grants.keyvault-injector.dev/mirrors-from` of each of these Namespaces must list the class. Users who set `mirror-to` need permission to get Secrets in the class's namespace. The annotation has no effect with `--secret-access=blind`",
  },
  maxStale: {
    means:
      "longest acceptable time without a successful check, as a Go duration. It should be longer than the poll interval. After this time, the condition `Fresh` has the reason `Stale`. The worker posts an event but keeps the Secrets. The annotation has no effect if rotation is off",
  },
};

type Constants = typeof annotations;

const EXPORTED = new Map<string, string | Readonly<Record<string, string>>>(Object.entries(annotations));

/** The other keys, by the constant that contains them. A new key does not compile without an explanation here. */
const OTHERS: {
  readonly [Constant in Exclude<keyof Constants, "PREFIX" | "POD_ANNOTATIONS" | "CLASS_ANNOTATIONS">]: Constants[Constant] extends string
    ? string
    : Readonly<Record<keyof Constants[Constant], string>>;
} = {
  INJECTED_LABEL: '`"true"`: the webhook injected the pod',
  SECRET_ANNOTATIONS: {
    class: "the SecretProviderClass that owns the Secret. Both are in the same namespace",
    objects: "sorted, comma-separated list of the vault objects in the Secret, each as `type/name@version`",
    content:
      "`v2:<hash>:<proof>`. The hash is an HMAC-SHA256 of the Secret's name and the data that the worker wrote. The proof is an HMAC-SHA256 of the Secret's name, and shows that this install created the Secret. The worker never deletes a Secret without a proof. For each namespace, the worker derives the key of both HMACs from the install's key. If version 0.3.0 wrote the Secret and the data has not changed since then, the value is `v1:<hash>`, which also counts as a proof",
    adoptableBy: "the class that is allowed to take over this existing Secret. The owner of the Secret sets this annotation",
    adopted:
      '`"true"` if the Secret already existed before the class took it over. The worker never deletes such a Secret, but releases it',
  },
  RESTART_ANNOTATIONS: {
    paused:
      'with any value except `"false"`, the worker does not begin a restart. Set this annotation on the workload, or on the Namespace for all workloads in it',
    now: "any value. After each change to the value, the worker begins a restart that is waiting for a window. Set this annotation on the workload, or on the Namespace for all workloads in it",
    nowAnswered: "hash of the values of `restart-now` that the worker has acted on. The worker sets this annotation on the workload",
  },
  MANAGED_LABEL: '`"true"`: the worker manages the Secret',
  MADE_FOR: "`Gateway` or `Ingress`. The annotation with the same key contains the name of that Gateway or Ingress",
  COPY_LABEL: '`"true"`: the Secret is a copy that the worker maintains. Copies never have the label `keyvault-injector.dev/managed`',
  COPY_ANNOTATIONS: {
    copiedFrom: "the SecretProviderClass whose Secret the worker copied, as `namespace/name`",
    sourceContent:
      "an HMAC-SHA256 of the original Secret's namespace, name, and annotation `content`, made with a key of the install. The worker uses this HMAC to detect outdated copies",
  },
  SNAPSHOT_ANNOTATIONS: {
    class: "on a class snapshot, the name of the SecretProviderClass, which is in the same namespace",
    component: "on a component copy, the component, as `Kind namespace/name`",
    signature:
      "`v2:<time>:<HMAC>`. The time is the signing time in Unix milliseconds. The HMAC covers the kind (snapshot or component copy), the namespace, the time, and the data. The worker ignores a ControllerRevision if the signature does not match, or if the ControllerRevision was created more than a minute before or after the signing time",
    content:
      "`v1:<HMAC>`, the signature that version 0.3.0 reads. The HMAC covers only the data. If the annotation `signature` is missing, the worker trusts the ControllerRevision only if this HMAC matches and the ControllerRevision is older than the upgrade to 0.4.0",
  },
  SNAPSHOT_LABEL:
    '`"true"` on a class snapshot, or `"component"` on a component copy. The ControllerRevision has no other label, because controllers use labels to adopt ControllerRevisions',
  WORKLOAD_ANNOTATIONS: {
    accountUid:
      "UID of the recreated ServiceAccount for which the worker last restarted the pods; see [healing](healing.md#serviceaccounts)",
  },
  INSTALL_ANNOTATIONS: {
    uninstalling:
      "UID that the worker's Deployment had when `uninstall --prepare` ran. While the worker's Deployment has this UID or does not exist, the worker heals nothing",
    finalCheck: "a copy of the policy binding that `uninstall --prepare` removed. `uninstall --undo` restores the binding from this copy",
  },
  GRANT_ANNOTATIONS: {
    serviceAccounts:
      "comma-separated list of ServiceAccounts in the Namespace whose tokens the worker is allowed to exchange for [workload identity](../how-to/use-workload-identity.md). The policy `keyvault-injector-sync-tokens` enforces the list. The annotation has no effect in `kube-system`",
    managedIdentity:
      "if the value is `allowed`, classes in the Namespace can sync with the [managed identity](../how-to/use-managed-identity.md) of the worker's node. Listing the Namespace in the setting `--managed-identity-namespaces` has the same effect",
    mirrorsFrom:
      "comma-separated list of classes, such as `platform/shop-tls` or `platform/*`, whose Secrets the worker is allowed to [copy](../how-to/share-a-secret-with-namespaces.md) into the Namespace. The policy `keyvault-injector-namespace-consents` allows the annotation only from users who have permission to create and update Secrets in the Namespace. The policy `keyvault-injector-sync-secrets` enforces the list. The annotation has no effect in `kube-system`",
  },
  CRD_ANNOTATIONS: {
    deletionRetried: "time (RFC 3339) at which the worker last made the API server retry the deletion",
  },
  LEASE_ANNOTATIONS: {
    polledUntil:
      "time (RFC 3339) up to which the worker has made all due polls. The next leader makes the polls that became due after this time",
    pollsOwed:
      "comma-separated list of classes to which `polled-until` does not apply, each as `namespace/name`, or as `namespace/*` for all classes in a namespace. For these classes, the next leader uses the times in the stored statuses instead",
    inHand:
      "JSON with the classes that the leader is handling, and the classes on which a worker crashed. The next leader handles all of these classes last, one at a time. It pauses a class after the third crash on that class. After three crashes in a namespace, it pauses all new and edited classes in that namespace",
    shards:
      "number of shards that the holder of the Lease is configured with, followed by a space and the holder's identity. If the annotation is absent, or someone other than the holder wrote it, the number counts as 1. A worker with a different number of shards does not become the leader while another worker holds the Lease",
  },
  AUTHORITY_ANNOTATIONS: {
    previousUntil: "time (RFC 3339) until which the certificates in `previous-ca.crt` are trusted",
  },
};

export function annotationPlaces(): Places {
  return {
    "pod-annotations": keyTable(POD_ANNOTATIONS, ON_PODS, (key) => [NEVER_DEFAULTS.includes(key) ? "no" : "yes"], ["On a Namespace"]),
    "class-annotations": keyTable(CLASS_ANNOTATIONS, ON_CLASSES),
    ...Object.fromEntries(Object.entries(OTHERS).map(([constant, means]) => [placeOf(constant), otherTable(constant, means)])),
    denials: table(
      ["Reason", "Message"],
      Object.values(DENIALS).map(([reason, message]) => [code(reason), code(message)]),
    ),
    fixes: messages("Fix", FIXES),
    problems: messages("Problem", PROBLEMS),
    warnings: messages("Warning", WARNINGS),
  };
}

/** Returns `secret-annotations` for `SECRET_ANNOTATIONS`. */
function placeOf(constant: string): string {
  return constant.toLowerCase().replaceAll("_", "-");
}

function keyTable(
  keys: Readonly<Record<string, string>>,
  words: Readonly<Record<string, KeyWords>>,
  more: (key: string) => readonly string[] = () => [],
  titles: readonly string[] = [],
): string {
  const rows = Object.entries(words).map(([name, { default: fallback = "", means }]) => {
    const key = keys[name] ?? "";
    return [code(key), fallback, ...more(key), means];
  });
  return table(["Annotation", "Default", ...titles, "Meaning"], rows);
}

function otherTable(constant: string, means: string | Readonly<Record<string, string>>): string {
  const keys = EXPORTED.get(constant) ?? "";
  if (typeof keys === "string" && typeof means === "string") return table(["Label", "Meaning"], [[code(keys), means]]);
  const named = new Map(Object.entries(keys));
  return table(
    ["Annotation", "Meaning"],
    Object.entries(means).map(([name, meaning]) => [code(named.get(name) ?? ""), meaning]),
  );
}

function messages(title: string, of: Readonly<Record<string, string>>): string {
  return table(
    [title],
    Object.values(of).map((message) => [code(message)]),
  );
}
