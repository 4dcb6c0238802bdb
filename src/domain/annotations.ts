/** Prefix of everything of ours that users type on objects. */
export const PREFIX = "keyvault-injector.dev";

const key = <const Name extends string>(name: Name) => `${PREFIX}/${name}` as const;

/**
 * Annotations on a pod or pod template. All but `inject`, `rotated` and `status` may also stand on the Namespace, as a
 * default for its pods.
 */
export const POD_ANNOTATIONS = {
  /** `"true"` opts the pod in; `"false"` or no annotation: not. Anything else is denied. */
  inject: key("inject"),
  /** The SecretProviderClass to mount; required. It lives in the pod's namespace. */
  secretProviderClass: key("secret-provider-class"),
  /**
   * `nodePublishSecretRef`: the Secret with `clientid` and `clientsecret`. Default `secrets-store-creds`, set where
   * the class uses service-principal mode, where the class is not there yet, or where the pod itself names it. `none`: never.
   */
  credentialsSecret: key("credentials-secret"),
  /** Absolute path of the mount. Default `/mnt/secrets-store`. */
  mountPath: key("mount-path"),
  /** Name of the injected volume, a DNS label. Default `secrets-store-inline`. */
  volumeName: key("volume-name"),
  /** Comma list of containers (init containers included) that get the mount; `-name` excludes. Default: all. */
  containers: key("containers"),
  /** Comma list of synced Secrets whose keys become environment variables of the selected containers. */
  envFrom: key("env-from"),
  /** `"true"` on a workload's pod template: it is rolled when the versions that it uses change. Default `"false"`. */
  restartOnRotation: key("restart-on-rotation"),
  /** When the worker may restart the workload, as `parseWindow` reads it. Default `--restart-window`. Also on the workload itself. */
  restartWindow: key("restart-window"),
  /** The restart stamp, written by the worker: a hash of version ids. On a pod template it restarts, on the workload it only says. Output only. */
  rotated: key("rotated"),
  /** Written by the webhook: JSON with version, classes and volumes. Output only, never trusted. */
  status: key("status"),
} as const;

/** Annotations on a workload that asks for restarts; the first two also on its Namespace, for all of them. A template has none of them: its pods would be replaced. */
export const RESTART_ANNOTATIONS = {
  /** `"true"`: no restart begins. Anything but `"false"` is taken for that. */
  paused: key("restart-paused"),
  /** Any change of its value: the restart that waits for a window begins without it. */
  now: key("restart-now"),
  /** Written by the worker: a hash of the values of `restart-now` that it has followed. Output only. */
  nowAnswered: key("restart-now-answered"),
} as const;

/** Label that the webhook writes on injected pods: `"true"`. */
export const INJECTED_LABEL = key("injected");

/** Annotations on a SecretProviderClass. */
export const CLASS_ANNOTATIONS = {
  /** `always`, `while-used` or `never`; default `--sync-mode`. */
  sync: key("sync"),
  /** Service-principal credentials; default: the one name that consuming pods use, else `secrets-store-creds`. */
  credentialsSecret: key("credentials-secret"),
  /** Whose token is exchanged in workload-identity mode; default: the one account that consuming pods use. */
  serviceAccount: key("service-account"),
  /** Go duration, not below 10 s; default `--rotation-poll-interval`. */
  rotationPollInterval: key("rotation-poll-interval"),
  /** Any change of its value fetches now. */
  refresh: key("refresh"),
  /** Go duration: after this long without a successful check the class is `Stale`. */
  maxStale: key("max-stale"),
  /** Comma list of existing Secrets that the class takes over; each must agree by `adoptable-by`. */
  adopt: key("adopt"),
  /** Comma list of other namespaces that get copies of the class's Secrets; each must agree by `mirrors-from`. */
  mirrorTo: key("mirror-to"),
} as const;

/**
 * On a SecretProviderClass that the worker made: as a label the kind that it was made for, `Gateway` or `Ingress`, as an annotation its name.
 * Output only, and trusted with the worker's field manager alone.
 */
export const MADE_FOR = key("made-for");

/** On a Secret that the worker writes. */
export const SECRET_ANNOTATIONS = {
  /** Name of the SecretProviderClass (same namespace) that owns the Secret. */
  class: key("class"),
  /** `type/name@version` of every object the Secret was made from, sorted, comma separated. */
  objects: key("objects"),
  /** `v2:` + hex HMAC-SHA256 over name and data (key: one of the namespace, derived from the install's own); `v1:` up to 0.3.0. Then `:` and the proof that we made it. */
  content: key("content"),
  /** Written by the owner of an existing Secret: the class that may take it over. */
  adoptableBy: key("adoptable-by"),
  /** `"true"`: it was there before the class, which gives it back instead of deleting it. */
  adopted: key("adopted"),
} as const;

/** Label on a Secret that the worker writes: `"true"`. */
export const MANAGED_LABEL = key("managed");

/** Label on a copy of a mirrored Secret in another namespace: `"true"`. A copy never has {@link MANAGED_LABEL}. */
export const COPY_LABEL = key("copy");

/** On such a copy, beside `objects` and `content` of {@link SECRET_ANNOTATIONS}. */
export const COPY_ANNOTATIONS = {
  /** The SecretProviderClass, as `namespace/name`, whose Secret of the same name it is a copy of. */
  copiedFrom: key("copied-from"),
  /** Hex HMAC-SHA256 over the place and the `content` of the Secret that it was copied from. */
  sourceContent: key("source-content"),
} as const;

/** Label on a ControllerRevision of ours: `"true"` on a class snapshot, `"component"` on the copy of a component. */
export const SNAPSHOT_LABEL = key("snapshot");

/** Annotations on such a ControllerRevision. */
export const SNAPSHOT_ANNOTATIONS = {
  /** Name of the snapshotted SecretProviderClass (same namespace). */
  class: key("class"),
  /** The component that it is a copy of: `Kind namespace/name`. */
  component: key("component"),
  /** `v1:` + hex HMAC-SHA256 over the data. What 0.3.0 knows a record by. */
  content: key("content"),
  /** `v2:`, Unix milliseconds of the signature, `:` and hex HMAC-SHA256 over kind, namespace, time and data. */
  signature: key("signature"),
} as const;

/** Annotations on a CustomResourceDefinition that is going away. */
export const CRD_ANNOTATIONS = {
  /** When the API server was last made to try the deletion again (RFC 3339). */
  deletionRetried: key("deletion-retried"),
} as const;

/** Annotations on the Lease by which replicas of the worker know who leads. */
export const LEASE_ANNOTATIONS = {
  /** RFC 3339: every poll of a class that was due up to then has been made. The next leader makes up for those after it. */
  polledUntil: key("polled-until"),
  /** The classes of which that is not true, as `namespace/name`, or `namespace/*` for all of a namespace, with commas between them. */
  pollsOwed: key("polls-owed"),
  /** JSON: the classes that the leader has in hand, and those that a worker has died with. */
  inHand: key("in-hand"),
  /** How many shards its writer counts, a space, and the identity that it holds the Lease by. Without it: one. */
  shards: key("shards"),
} as const;

/** Annotations on the pod templates of our own workloads. */
export const WORKLOAD_ANNOTATIONS = {
  /** Uid of the ServiceAccount that the pods were last restarted for, because it had been deleted and was made anew. */
  accountUid: key("service-account-uid"),
} as const;

/** Annotations on the Namespace of the install, written by `keyvault-injector uninstall --prepare`. */
export const INSTALL_ANNOTATIONS = {
  /** Uid of the worker's Deployment that is being uninstalled: that worker heals nothing any more. */
  uninstalling: key("uninstalling"),
  /** The policy binding that was removed, as JSON, for `--undo`. */
  finalCheck: key("final-check"),
} as const;

/**
 * Annotations on a Namespace: what classes in it may have the worker use, and what it takes of others. Whoever may write the Namespace grants it. Under a prefix of their
 * own: a webhook that does not know them takes them for no default of pods.
 */
export const GRANT_ANNOTATIONS = {
  /** Comma list of ServiceAccounts of the Namespace whose tokens the worker may exchange. */
  serviceAccounts: `grants.${PREFIX}/service-accounts`,
  /** `allowed`: with the managed identity of the worker's node. */
  managedIdentity: `grants.${PREFIX}/managed-identity`,
  /** Comma list of classes, as `namespace/name` or `namespace/*`, whose Secrets the Namespace takes copies of. */
  mirrorsFrom: `grants.${PREFIX}/mirrors-from`,
} as const;

/** Annotations on the webhook's CA Secret. */
export const AUTHORITY_ANNOTATIONS = {
  /** RFC 3339 time until which the certificates in `previous-ca.crt` stay trusted. */
  previousUntil: key("previous-ca-until"),
} as const;
