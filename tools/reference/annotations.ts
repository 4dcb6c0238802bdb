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
  inject: { means: '`"true"` opts the pod in. `"false"` or no annotation: not. Anything else is denied' },
  secretProviderClass: {
    default: "required",
    means: "name of a SecretProviderClass of the pod's namespace, or a comma list of at most 16: one volume for each",
  },
  credentialsSecret: {
    default: code(DEFAULT_CREDENTIALS_SECRET),
    means:
      "Secret of the pod's namespace for `nodePublishSecretRef`. The default applies if the class uses a service principal or is missing (with a warning); a name on the pod always applies. `none`: never",
  },
  mountPath: {
    default: code(DEFAULT_MOUNT_PATH),
    means: "absolute path; see [mount paths](#mount-paths). With several classes `<path>/<class>`",
  },
  volumeName: {
    default: code(DEFAULT_VOLUME_NAME),
    means: "a DNS label. With several classes `<name>-<class>`, shortened with a hash where that is no DNS label",
  },
  containers: {
    default: "all, init containers and native sidecars included",
    means: "comma list of container names; `-name` excludes one, also one that another webhook adds later. See [containers](#containers)",
  },
  envFrom: {
    means:
      "comma list of at most 32 Secrets that are added as `envFrom` to the selected containers; see [environment variables](#environment-variables)",
  },
  restartOnRotation: {
    default: '`"false"`',
    means:
      '`"true"` or `"false"`: whether the Deployment, StatefulSet or DaemonSet is [restarted](../how-to/restart-on-rotation.md) when the versions that it uses change',
  },
  restartWindow: {
    default: "`--restart-window`",
    means:
      "[when](../how-to/restart-on-rotation.md#when) restarts of the workload may begin: `always`, or times such as `0 22 * * MON-FRI for 4h in Europe/Berlin`. On the workload it takes precedence over the template",
  },
  rotated: {
    default: "written by the worker",
    means:
      "the restart stamp: a hash of the version ids that the pods have. On the workload itself it restarts nothing. Output only, never denied",
  },
  status: {
    default: "written by the webhook",
    means:
      "JSON with version, classes and volumes, written where something is injected. Output only, never read. Omitted if the pod's annotations would exceed 256 KiB",
  },
};

const ON_CLASSES: Readonly<Record<keyof typeof CLASS_ANNOTATIONS, KeyWords>> = {
  sync: {
    default: "`--sync-mode`",
    means:
      "`always`: synced with or without a pod that mounts the class. `while-used`: the Secrets exist while a pod's CSI volume names the class, and `--unused-grace` longer. `never`: existing Secrets stay, and the status is `SwitchedOff`",
  },
  credentialsSecret: {
    default: "the one name that the pods mounting the class use, else `secrets-store-creds`",
    means: "Secret with `clientid` and `clientsecret`; its name must be in `--credentials-secret-names`",
  },
  serviceAccount: {
    default: "the one account that the pods mounting the class use",
    means:
      "ServiceAccount whose token is exchanged where the class has a `clientID`. None or several without this annotation: `IdentityUnavailable`",
  },
  rotationPollInterval: {
    default: "`--rotation-poll-interval`",
    means:
      "Go duration such as `30s` or `1h`, not below `10s`: the longest time between two checks of the class. A change takes effect at once. If another class of the same identity lists the vault more often, this class follows that list",
  },
  refresh: {
    means:
      "any change of its value makes the worker fetch now. The request stays open until the vault answers. The status has the answered value (its first 256 characters), so that a new leader neither loses nor repeats a request",
  },
  adopt: {
    means:
      "comma list of existing Secrets that the class takes over; each must agree by `keyvault-injector.dev/adoptable-by`. The worker [releases them](../how-to/migrate-from-the-drivers-sync.md#existing-secrets-of-your-own) and never deletes them. Without effect with `--secret-access=blind`",
  },
  mirrorTo: {
    means:
      "comma list of at most 64 other namespaces that get [copies of the class's Secrets](../how-to/share-a-secret-with-namespaces.md); each must agree by `grants.keyvault-injector.dev/mirrors-from`. Its author needs permission to get Secrets of the class's namespace. Without effect with `--secret-access=blind`",
  },
  maxStale: {
    means:
      "Go duration, longer than the poll interval: after this long without a successful check the condition `Fresh` has the reason `Stale`, and an event is posted. The Secrets stay. Without rotation it has no effect",
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
  INJECTED_LABEL: '`"true"` on every injected pod; written by the webhook',
  SECRET_ANNOTATIONS: {
    class: "name of the SecretProviderClass (same namespace) that owns the Secret",
    objects: "`type/name@version` of every object that it was made from, sorted, comma separated",
    content:
      "`v2:` and the HMAC-SHA256 of the Secret's name and the data that the worker wrote, with a key of the namespace that is derived from the install's own. `v1:` on a Secret that 0.3.0 wrote and whose data has not changed since. After a colon follows the proof that this install made the Secret: the worker deletes no Secret without it",
    adoptableBy: "written by the owner of an existing Secret: name of the one class that may take it over",
    adopted: '`"true"`: the Secret is older than the class, and is released instead of deleted',
  },
  RESTART_ANNOTATIONS: {
    paused: '`"true"`: no restart begins. Any value except `"false"` pauses. It counts on the workload and on its Namespace',
    now: "any change of its value: the restart that waits for a window begins now. It counts on the workload and on its Namespace",
    nowAnswered: "written by the worker on the workload: a hash of the values of `restart-now` that it has followed",
  },
  MANAGED_LABEL: '`"true"`: the Secret is the worker\'s',
  MADE_FOR:
    "on a class that the worker made: as a label `Gateway` or `Ingress`, as an annotation the name of what it was made for. See [TLS for Gateways](../how-to/tls-for-gateways.md)",
  COPY_LABEL: '`"true"`: the Secret is a copy that the worker keeps. A copy never has the label `keyvault-injector.dev/managed`',
  COPY_ANNOTATIONS: {
    copiedFrom: "the SecretProviderClass, as `namespace/name`, whose Secret of the same name it is a copy of",
    sourceContent:
      "HMAC-SHA256, with a key of the install, over the place and the annotation `content` of the Secret that it was copied from: a copy that is behind shows by it",
  },
  SNAPSHOT_ANNOTATIONS: {
    class: "name of the SecretProviderClass (same namespace)",
    component: "on the copy of a component: which, as `Kind namespace/name`",
    signature:
      "`v2:`, the time of the signature in Unix milliseconds, and an HMAC over kind, namespace, time and data. A record is ignored whose signature does not match, or that was created more than a minute before or after it was signed",
    content:
      "`v1:` and an HMAC over the data, for 0.3.0. A record without a signature is believed if this matches and the record is older than the upgrade to 0.4.0",
  },
  SNAPSHOT_LABEL: '`"true"`, or `"component"` on the copy of a component; the only label, since controllers adopt revisions by label',
  WORKLOAD_ANNOTATIONS: {
    accountUid:
      "uid of the ServiceAccount that the pods were last restarted for, because it had been deleted: see [healing](healing.md#serviceaccounts)",
  },
  INSTALL_ANNOTATIONS: {
    uninstalling: "uid of the worker's Deployment that is being removed: nothing is healed while it is that one, or none is there",
    finalCheck: "the policy binding that was removed, for `--undo`",
  },
  GRANT_ANNOTATIONS: {
    serviceAccounts:
      "comma list of ServiceAccounts of the Namespace whose tokens the worker may exchange for [workload identity](../how-to/use-workload-identity.md). The policy `keyvault-injector-sync-tokens` reads it. It counts nowhere in `kube-system`",
    managedIdentity:
      "`allowed`: classes may sync with the [managed identity](../how-to/use-managed-identity.md) of the worker's node. The setting `--managed-identity-namespaces` does the same",
    mirrorsFrom:
      "comma list of classes, as `platform/shop-tls` or `platform/*`, of whose Secrets the Namespace accepts [copies](../how-to/share-a-secret-with-namespaces.md). Its author needs permission to create and update Secrets there, by the policy `keyvault-injector-namespace-consents`. The policy `keyvault-injector-sync-secrets` reads it. It counts nowhere in `kube-system`",
  },
  CRD_ANNOTATIONS: {
    deletionRetried: "when the worker last made the API server try the deletion again (RFC 3339)",
  },
  LEASE_ANNOTATIONS: {
    polledUntil: "every poll of a class that was due up to then (RFC 3339) has been made; the next leader makes up for those after it",
    pollsOwed:
      "comma list of the classes for which that is not true, `namespace/name`, or `namespace/*` for all of a namespace: the next leader goes by what is stored of each",
    inHand:
      "JSON: the classes that the leader has in hand, and those with which a worker crashed. The next leader handles the latter last and one by one, and pauses a class after a third crash, and all new classes of a namespace after three crashes",
  },
  AUTHORITY_ANNOTATIONS: {
    previousUntil: "time (RFC 3339) until which the certificates in `previous-ca.crt` stay trusted",
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
