import { MANAGED_LABEL } from "../../domain/annotations.ts";
import { OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import { type KubeObject, type Lease, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import { unseenCloudFile } from "../../domain/provider-class/cloud-file.ts";
import { parseProviderClass } from "../../domain/read-class.ts";
import { shardCountOf, shardOfLease } from "../../domain/shards.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { podUseOf } from "../../domain/where/pod-use.ts";
import { readClass } from "../../domain/where/read-class.ts";
import { type Snapshot, snapshotOf } from "../../domain/where/snapshot.ts";
import { statedClassOf, storedPodStatusOf, storedSecretOf } from "../../domain/where/stored-versions.ts";
import { lastWriteOf } from "../../domain/written-at.ts";
import { judgedClass } from "../doctor/class/secrets.ts";
import { problemLeaf } from "../doctor/class/walk.ts";
import type { ClassSettings } from "../shared/class-context.ts";
import { LIVE_PODS } from "../where/gather.ts";
import { eventOf } from "./events.ts";
import type { HeldShard, KnownClass, KnownStatus, LiveCopies } from "./known.ts";
import { followKind, type Watching } from "./live.ts";

export interface Followed {
  /** Namespace of the worker's install. */
  readonly install: string;
  readonly settings: ClassSettings;
  /** Field manager of the worker, which is also the reporter of its events. */
  readonly worker: string;
}

export function followAll(watching: Watching, { install, settings, worker }: Followed): LiveCopies {
  return {
    classes: followKind(watching, {
      resource: RESOURCES.secretProviderClasses,
      project: (object) => knownClass(object as SecretProviderClass, settings), // The watch returns only objects of this kind.
    }),
    classStatuses: followKind(watching, { resource: RESOURCES.secretProviderClassSyncs, project: knownStatus }),
    secrets: followKind(watching, {
      resource: RESOURCES.secrets,
      labelSelector: `${MANAGED_LABEL}=true`,
      metadataOnly: true,
      project: (object) => storedSecretOf(object, lastWriteOf(object.metadata.managedFields ?? [], worker)),
    }),
    pods: followKind(watching, { resource: RESOURCES.pods, fieldSelector: LIVE_PODS, project: podUseOf }),
    podStatuses: followKind(watching, { resource: RESOURCES.secretProviderClassPodStatuses, project: storedPodStatusOf }),
    events: followKind(watching, { resource: RESOURCES.events, fieldSelector: `reportingComponent=${worker}`, project: eventOf }),
    lease: followKind(watching, {
      resource: RESOURCES.leases,
      namespace: install,
      project: heldShard,
      // The worker renews Leases every few seconds, and pages do not show that.
      isSame: (one, other) => one?.spec?.holderIdentity === other?.spec?.holderIdentity && one?.shards === other?.shards,
    }),
  };
}

/** Returns undefined for a Lease that is not the worker's. */
function heldShard(object: KubeObject): HeldShard | undefined {
  const lease = object as Lease; // The watch returns only Leases.
  const shard = shardOfLease(OWN_DEPLOYMENT, lease.metadata.name);
  return shard === undefined ? undefined : { shard, shards: shardCountOf(lease), spec: lease.spec };
}

function knownClass(spc: SecretProviderClass, settings: ClassSettings): KnownClass | undefined {
  if (!isOurs(spc)) return undefined;
  const { cloudName, identityBindings } = settings.limits;
  const parsed = parseProviderClass(spc.spec, { owner: keyOf(spc), cloudName, identityBindings, readCloudFile: unseenCloudFile });
  const refused = parsed.kind === "invalid" ? { refused: problemLeaf(parsed.problem) } : {};
  return { ...judgedClass(settings, spc), reading: readClass(spc, secretObjectsOf(spc), settings.limits), ...refused };
}

function knownStatus(object: KubeObject): KnownStatus {
  const { metadata, status: stored } = object as SecretProviderClassSync; // The watch returns only objects of this kind.
  const status = readStatus(stored);
  return { namespace: metadata.namespace ?? "", name: metadata.name, status, stated: statedClassOf(metadata, status) };
}

/** Returns the snapshot that `where` uses. */
export function snapshotIn(copies: LiveCopies, now: number): Snapshot {
  return snapshotOf({
    classes: copies.classes.list().flatMap(({ reading }) => (reading.kind === "class" ? [reading.read] : [])),
    secrets: copies.secrets.list(),
    pods: copies.pods.list(),
    podStatuses: copies.podStatuses.list(),
    classStatuses: copies.classStatuses.list().map(({ stated }) => stated),
    unseen: (kind, namespace) => copies[kind].unseen(namespace),
    now,
  });
}
