/** The page of annotations: keys, defaults and messages are the code's; what each key means is said here. */
import * as annotations from "../../src/domain/annotations.ts";
import { NEVER_DEFAULTS } from "../../src/domain/injection/effective-annotations.ts";
import { DENIALS, FIXES, PROBLEMS, WARNINGS } from "../../src/domain/injection/messages.ts";
import { DEFAULT_CREDENTIALS_SECRET, DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "../../src/domain/injection/settings.ts";
import { code, type Places, table } from "./page.ts";

const { POD_ANNOTATIONS, CLASS_ANNOTATIONS } = annotations;

/** Markdown; without a default nothing is meant. */
interface KeyWords {
  readonly default?: string;
  readonly means: string;
}

const ON_PODS: Readonly<Record<keyof typeof POD_ANNOTATIONS, KeyWords>> = {
  inject: {
    means: '`"true"` opts the pod in. With `"false"` or without the annotation, nothing is injected. The webhook denies other values',
  },
  secretProviderClass: {
    default: "required",
    means: "a SecretProviderClass in the pod's namespace, or a comma-separated list of up to 16 classes. Each class gets its own volume",
  },
  credentialsSecret: {
    default: code(DEFAULT_CREDENTIALS_SECRET),
    means:
      "Secret in the pod's namespace for `nodePublishSecretRef`. The default applies if the class uses a service principal. It also applies, with a warning, if the class does not exist. A name on the pod always applies. `none` omits the reference",
  },
  mountPath: {
    default: code(DEFAULT_MOUNT_PATH),
    means: "absolute path; see [mount paths](#mount-paths). With several classes, the path is `<path>/<class>`",
  },
  volumeName: {
    default: code(DEFAULT_VOLUME_NAME),
    means:
      "a DNS label. With several classes, the name is `<name>-<class>`. If this name is not a DNS label, the webhook shortens it and adds a hash",
  },
  containers: {
    default: "all, including init containers and native sidecars",
    means:
      "comma-separated list of container names. `-name` excludes a container, even if another webhook adds the container later. See [containers](#containers)",
  },
  envFrom: {
    means:
      "comma-separated list of up to 32 Secrets, which the webhook adds as `envFrom` to the selected containers; see [environment variables](#environment-variables)",
  },
  restartOnRotation: {
    default: '`"false"`',
    means:
      '`"true"` [restarts](../how-to/restart-on-rotation.md) the Deployment, StatefulSet, or DaemonSet when the versions that it uses change',
  },
  restartWindow: {
    default: "`--restart-window`",
    means:
      "[when](../how-to/restart-on-rotation.md#when) restarts of the workload can begin: `always`, or a window such as `0 22 * * MON-FRI for 4h in Europe/Berlin`. A value on the workload overrides a value on the template",
  },
  rotated: {
    default: "written by the worker",
    means: "the restart stamp, which is a hash of the version IDs in the pods. Output only, never denied. No effect on the workload itself",
  },
  status: {
    default: "written by the webhook",
    means:
      "JSON with the version, classes, and volumes, if the webhook injected anything. Output only: the webhook never reads this annotation, and omits it if the pod's annotations would exceed 256 KiB",
  },
};

const ON_CLASSES: Readonly<Record<keyof typeof CLASS_ANNOTATIONS, KeyWords>> = {
  sync: {
    default: "`--sync-mode`",
    means:
      "`always`: the worker syncs the class even if no pod mounts it. `while-used`: the worker keeps the Secrets while a pod's CSI volume names the class, and for `--unused-grace` longer. `never`: the worker leaves existing Secrets unchanged, and the class reports `SwitchedOff`",
  },
  credentialsSecret: {
    default: "the name in the pods that mount the class, if they all use the same name; otherwise, `secrets-store-creds`",
    means: "Secret with `clientid` and `clientsecret`, whose name must be in `--credentials-secret-names`",
  },
  serviceAccount: {
    default: "the ServiceAccount of the pods that mount the class, if they all use the same one",
    means:
      "ServiceAccount whose token the worker exchanges if the class has a `clientID`. Without this annotation, the class reports `IdentityUnavailable` if no pod mounts the class, or if its pods use different ServiceAccounts",
  },
  rotationPollInterval: {
    default: "`--rotation-poll-interval`",
    means:
      "longest time between two checks of the class, as a Go duration such as `30s` or `1h`, at least `10s`. Changes take effect immediately. If another class with the same identity lists the vault more often, this class uses that list",
  },
  refresh: {
    means:
      "after any change to the value, the worker fetches immediately. It retries until the vault responds, and then records the value (its first 256 characters) in the status. A new leader therefore neither loses nor repeats a request",
  },
  adopt: {
    means:
      "comma-separated list of existing Secrets that the class takes over. Each Secret must name the class in `keyvault-injector.dev/adoptable-by`. The worker never deletes these Secrets, but [releases them](../how-to/migrate-from-the-drivers-sync.md#existing-secrets-of-your-own). No effect with `--secret-access=blind`",
  },
  mirrorTo: {
    means:
      "comma-separated list of up to 64 other namespaces that get [copies of the class's Secrets](../how-to/share-a-secret-with-namespaces.md). Each Namespace must name the class in `grants.keyvault-injector.dev/mirrors-from`. The author of `mirror-to` needs permission to get Secrets in the class's namespace. No effect with `--secret-access=blind`",
  },
  maxStale: {
    means:
      "Go duration, longer than the poll interval. After this time without a successful check, the condition `Fresh` has the reason `Stale`, and the worker posts an event but keeps the Secrets. No effect without rotation",
  },
};

type Constants = typeof annotations;

const EXPORTED = new Map<string, string | Readonly<Record<string, string>>>(Object.entries(annotations));

/** The other keys, by the constant that holds them. One that is added there does not compile before it is explained here. */
const OTHERS: {
  readonly [Constant in Exclude<keyof Constants, "PREFIX" | "POD_ANNOTATIONS" | "CLASS_ANNOTATIONS">]: Constants[Constant] extends string
    ? string
    : Readonly<Record<keyof Constants[Constant], string>>;
} = {
  INJECTED_LABEL: '`"true"`. The webhook sets this label on every injected pod',
  SECRET_ANNOTATIONS: {
    class: "SecretProviderClass in the same namespace that owns the Secret",
    objects: "sorted, comma-separated list of all source objects, each as `type/name@version`",
    content:
      "`v2:` and an HMAC-SHA256 of the Secret's name and the data that the worker wrote. The HMAC key of each namespace is derived from the install's key. The prefix is `v1:` if 0.3.0 wrote the Secret and the data has not changed since. The part after the next colon proves that this install created the Secret. The worker does not delete a Secret without this proof",
    adoptableBy: "class that is allowed to take over this existing Secret. The owner of the Secret sets this annotation",
    adopted: '`"true"` if the Secret is older than the class. The worker then releases the Secret instead of deleting it',
  },
  RESTART_ANNOTATIONS: {
    paused: 'with `"true"`, or any other value except `"false"`, no restart begins. Set it on the workload or on its Namespace',
    now: "any change to the value starts a restart that is waiting for a window. Set it on the workload or on its Namespace",
    nowAnswered: "hash of the `restart-now` values that the worker has acted on. The worker writes this annotation on the workload",
  },
  MANAGED_LABEL: '`"true"`: the worker manages the Secret',
  MADE_FOR: "`Gateway` or `Ingress`. The annotation with the same key contains the name of that Gateway or Ingress",
  COPY_LABEL: '`"true"`: the Secret is a copy that the worker maintains. Copies never have the label `keyvault-injector.dev/managed`',
  COPY_ANNOTATIONS: {
    copiedFrom: "SecretProviderClass, as `namespace/name`, whose Secret the worker copied",
    sourceContent:
      "HMAC-SHA256 of the location of the source Secret and its annotation `content`, made with a key of the install. Shows whether the copy is outdated",
  },
  SNAPSHOT_ANNOTATIONS: {
    class: "SecretProviderClass in the same namespace",
    component: "on a component copy, the component as `Kind namespace/name`",
    signature:
      "`v2:`, the signing time in Unix milliseconds, and an HMAC of kind, namespace, time, and data. The worker ignores records whose signature does not match, or that were created more than a minute before or after signing",
    content:
      "`v1:` and an HMAC of the data, for 0.3.0. The worker trusts a record without a signature only if this HMAC matches and the record is older than the upgrade to 0.4.0",
  },
  SNAPSHOT_LABEL:
    '`"true"`, or `"component"` on a component copy. The record has no other label, because controllers adopt revisions by their labels',
  WORKLOAD_ANNOTATIONS: {
    accountUid:
      "UID of the recreated ServiceAccount for which the worker last restarted the pods; see [healing](healing.md#serviceaccounts)",
  },
  INSTALL_ANNOTATIONS: {
    uninstalling:
      "UID of the worker Deployment that you are removing. While the Deployment has this UID or does not exist, the worker heals nothing",
    finalCheck: "the policy binding that `--prepare` removed, for `--undo`",
  },
  GRANT_ANNOTATIONS: {
    serviceAccounts:
      "comma-separated list of ServiceAccounts in the Namespace whose tokens the worker is allowed to exchange for [workload identity](../how-to/use-workload-identity.md). The policy `keyvault-injector-sync-tokens` enforces the list. No effect in `kube-system`",
    managedIdentity:
      "with `allowed`, classes can sync with the [managed identity](../how-to/use-managed-identity.md) of the worker's node. The setting `--managed-identity-namespaces` has the same effect",
    mirrorsFrom:
      "comma-separated list of classes, such as `platform/shop-tls` or `platform/*`, whose Secrets the worker is allowed to [copy](../how-to/share-a-secret-with-namespaces.md) into the Namespace. The policy `keyvault-injector-namespace-consents` requires that the author has permission to create and update Secrets in the Namespace. The policy `keyvault-injector-sync-secrets` enforces the list. No effect in `kube-system`",
  },
  CRD_ANNOTATIONS: {
    deletionRetried: "time (RFC 3339) when the worker last made the API server retry the deletion",
  },
  LEASE_ANNOTATIONS: {
    polledUntil: "time (RFC 3339) up to which the worker has made all due polls. The next leader makes all later polls",
    pollsOwed:
      "comma-separated list of exceptions to `polled-until`: classes as `namespace/name`, or `namespace/*` for a whole namespace. For these classes, the next leader uses the stored statuses instead",
    inHand:
      "JSON with the classes that the leader is handling, and the classes on which a worker crashed. The next leader handles those classes last, one at a time. It pauses a class after the third crash on it, and all new classes of a namespace after three crashes there",
    shards:
      "number of shards that the holder is configured with, a space, and the holder's identity; 1 if absent or if someone else wrote it. A worker with another number does not lead while someone holds such a Lease",
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

/** `SECRET_ANNOTATIONS` is `secret-annotations`. */
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
