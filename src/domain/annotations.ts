/** Prefix of every key and value of this project that users write on objects. */
export const PREFIX = "keyvault-injector.dev";

const key = <const Name extends string>(name: Name) => `${PREFIX}/${name}` as const;

/**
 * Annotations on a pod or pod template. All but `inject`, `rotated`, and `status` also work on the Namespace, as a default for its pods.
 */
export const POD_ANNOTATIONS = {
  /** `"true"` opts the pod in; `"false"` or no annotation does not. The webhook denies any other value. */
  inject: key("inject"),
  /** The SecretProviderClass to mount, in the pod's namespace. Required. */
  secretProviderClass: key("secret-provider-class"),
  /**
   * `nodePublishSecretRef`: the Secret with `clientid` and `clientsecret`. Default `secrets-store-creds`. The webhook sets it if the class
   * uses service-principal mode or does not exist yet, or if the pod itself names the Secret. `none`: never.
   */
  credentialsSecret: key("credentials-secret"),
  /** Absolute path of the mount. Default `/mnt/secrets-store`. */
  mountPath: key("mount-path"),
  /** Name of the injected volume, a DNS label. Default `secrets-store-inline`. */
  volumeName: key("volume-name"),
  /** Comma-separated list of containers (including init containers) that get the mount; `-name` excludes one. Default: all. */
  containers: key("containers"),
  /** Comma-separated list of synced Secrets whose keys become environment variables of the selected containers. */
  envFrom: key("env-from"),
  /** `"true"` on a workload's pod template: the worker restarts the workload when the versions that it uses change. Default `"false"`. */
  restartOnRotation: key("restart-on-rotation"),
  /**
   * Times when the worker may restart the workload, in the syntax of `parseWindow`. Default `--restart-window`. Also works on the workload
   * itself.
   */
  restartWindow: key("restart-window"),
  /**
   * The restart stamp, written by the worker: a hash of version ids. On a pod template it causes a restart; on the workload it is only
   * information. Output only.
   */
  rotated: key("rotated"),
  /** JSON with version, classes, and volumes, written by the webhook. Output only, never trusted. */
  status: key("status"),
} as const;

/**
 * Annotations on a workload that opted in to restarts. The first two also work on its Namespace, for all workloads in it. None of them is
 * on a pod template, because a change there would replace the pods.
 */
export const RESTART_ANNOTATIONS = {
  /** `"true"`: no restart begins. The worker treats every value but `"false"` as `"true"`. */
  paused: key("restart-paused"),
  /** Any change of its value: the restart that waits for a window begins immediately. */
  now: key("restart-now"),
  /** Hash of the values of `restart-now` that the worker has acted on. Output only. */
  nowAnswered: key("restart-now-answered"),
} as const;

/** Label that the webhook writes on injected pods: `"true"`. */
export const INJECTED_LABEL = key("injected");

/** Annotations on a SecretProviderClass. */
export const CLASS_ANNOTATIONS = {
  /** `always`, `while-used` or `never`; default `--sync-mode`. */
  sync: key("sync"),
  /** Service-principal credentials. Default: the one name that consuming pods use, otherwise `secrets-store-creds`. */
  credentialsSecret: key("credentials-secret"),
  /** ServiceAccount whose token the worker exchanges in workload-identity mode. Default: the one account that consuming pods use. */
  serviceAccount: key("service-account"),
  /** Go duration, at least 10 s. Default `--rotation-poll-interval`. */
  rotationPollInterval: key("rotation-poll-interval"),
  /** Any change of its value causes an immediate fetch. */
  refresh: key("refresh"),
  /** Go duration after which the class is `Stale` if no check succeeds. */
  maxStale: key("max-stale"),
  /** Comma-separated list of existing Secrets that the class takes over; each Secret must consent with `adoptable-by`. */
  adopt: key("adopt"),
  /** Comma-separated list of other namespaces that get copies of the class's Secrets; each namespace must consent with `mirrors-from`. */
  mirrorTo: key("mirror-to"),
} as const;

/**
 * On a SecretProviderClass that the worker created: a label with the kind that the class was made for (`Gateway` or `Ingress`), and an
 * annotation with its name. Output only, and trusted only together with the worker's field manager.
 */
export const MADE_FOR = key("made-for");

/** Annotations on a Secret that the worker writes. */
export const SECRET_ANNOTATIONS = {
  /** Name of the SecretProviderClass (same namespace) that owns the Secret. */
  class: key("class"),
  /** `type/name@version` of every object that the Secret contains, sorted, comma-separated. */
  objects: key("objects"),
  /**
   * `v2:` + hex HMAC-SHA256 over name and data (key: one of the namespace, derived from the install's own); `v1:` up to 0.3.0. Then `:` and
   * the proof that the worker wrote it.
   */
  content: key("content"),
  /** The class that may take over an existing Secret. Written by the owner of the Secret. */
  adoptableBy: key("adoptable-by"),
  /** `"true"`: the Secret existed before the class. The class gives the Secret back instead of deleting it. */
  adopted: key("adopted"),
} as const;

/** Label on a Secret that the worker writes: `"true"`. */
export const MANAGED_LABEL = key("managed");

/** Label on a copy of a synced Secret in another namespace: `"true"`. A copy never has {@link MANAGED_LABEL}. */
export const COPY_LABEL = key("copy");

/** Annotations on such a copy, in addition to `objects` and `content` of {@link SECRET_ANNOTATIONS}. */
export const COPY_ANNOTATIONS = {
  /** The SecretProviderClass, as `namespace/name`, whose Secret of the same name was copied. */
  copiedFrom: key("copied-from"),
  /** Hex HMAC-SHA256 over the place and the `content` of the Secret that was copied. */
  sourceContent: key("source-content"),
} as const;

/** Label on a ControllerRevision that the worker writes: `"true"` on a class snapshot, `"component"` on a component copy. */
export const SNAPSHOT_LABEL = key("snapshot");

/** Annotations on such a ControllerRevision. */
export const SNAPSHOT_ANNOTATIONS = {
  /** Name of the snapshotted SecretProviderClass (same namespace). */
  class: key("class"),
  /** The copied component: `Kind namespace/name`. */
  component: key("component"),
  /** `v1:` + hex HMAC-SHA256 over the data. Version 0.3.0 recognizes a record by this annotation. */
  content: key("content"),
  /** `v2:`, time of the signature in Unix milliseconds, `:`, and hex HMAC-SHA256 over kind, namespace, time, and data. */
  signature: key("signature"),
} as const;

/** Annotations on a CustomResourceDefinition that is being deleted. */
export const CRD_ANNOTATIONS = {
  /** Time (RFC 3339) when the worker last made the API server retry the deletion. */
  deletionRetried: key("deletion-retried"),
} as const;

/** Annotations on the Lease with which the replicas of the worker elect their leader. */
export const LEASE_ANNOTATIONS = {
  /** RFC 3339 time. The leader has made every class poll that was due until then. The next leader makes up for the later ones. */
  polledUntil: key("polled-until"),
  /** Classes whose due polls are not all made, as `namespace/name`, or `namespace/*` for all classes in a namespace, comma-separated. */
  pollsOwed: key("polls-owed"),
  /** JSON with the classes that the leader is reconciling, and those that a worker was reconciling when it crashed. */
  inHand: key("in-hand"),
  /**
   * The number of shards that the writer counts, a space, and the identity with which it holds the Lease. Without the annotation: one
   * shard.
   */
  shards: key("shards"),
} as const;

/** Annotations on the pod templates of this project's own workloads. */
export const WORKLOAD_ANNOTATIONS = {
  /** Uid of the recreated ServiceAccount for which the worker last restarted the pods. The old ServiceAccount had been deleted. */
  accountUid: key("service-account-uid"),
} as const;

/** Annotations on the Namespace of the install, written by `keyvault-injector uninstall --prepare`. */
export const INSTALL_ANNOTATIONS = {
  /** Uid of the worker's Deployment that is being uninstalled. That worker heals nothing anymore. */
  uninstalling: key("uninstalling"),
  /** The removed policy binding as JSON, for `--undo`. */
  finalCheck: key("final-check"),
} as const;

/**
 * Annotations on a Namespace: the grants for the classes in it, and the copies that it accepts from others. Anyone who can write the
 * Namespace can grant. The keys have their own prefix, so that a webhook that does not know them does not treat them as defaults for pods.
 */
export const GRANT_ANNOTATIONS = {
  /** Comma-separated list of ServiceAccounts in the Namespace whose tokens the worker may exchange. */
  serviceAccounts: `grants.${PREFIX}/service-accounts`,
  /** `allowed`: classes may use the managed identity of the worker's node. */
  managedIdentity: `grants.${PREFIX}/managed-identity`,
  /** Comma-separated list of classes, as `namespace/name` or `namespace/*`, whose Secrets the worker may copy into the Namespace. */
  mirrorsFrom: `grants.${PREFIX}/mirrors-from`,
} as const;

/** Annotations on the webhook's CA Secret. */
export const AUTHORITY_ANNOTATIONS = {
  /** RFC 3339 time until which the certificates in `previous-ca.crt` stay trusted. */
  previousUntil: key("previous-ca-until"),
} as const;
