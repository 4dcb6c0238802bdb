import { MANAGED_LABEL } from "../../domain/annotations.ts";
import { type KubeObject, type ObjectMeta, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type PodUse, podUseOf } from "../../domain/where/pod-use.ts";
import { type ReadClass, readClass } from "../../domain/where/read-class.ts";
import { type ListedKind, type Snapshot, snapshotOf } from "../../domain/where/snapshot.ts";
import {
  type StoredPodStatus,
  type StoredSecret,
  statedClassOf,
  storedPodStatusOf,
  storedSecretOf,
} from "../../domain/where/stored-versions.ts";
import { lastWriteOf } from "../../domain/written-at.ts";
import type { Cluster, CommandContext } from "../shared/command.ts";
import { workerFieldManager } from "../shared/worker-code.ts";
import { type ClusterListing, FEW_NAMESPACES, listClasses, listPart, type Part, type PartRequest, type Scope } from "./list-parts.ts";

/** Everything that the command could read, and what it could not. */
export interface Gathered {
  readonly snapshot: Snapshot;
  /** Classes whose objects cannot be parsed. */
  readonly unreadable: readonly { readonly namespace: string; readonly name: string; readonly why: string }[];
  /** Sentences about what the command could not read. */
  readonly unseen: readonly string[];
  /** Why it could not read any list of classes; undefined if it could. */
  readonly refusal: string | undefined;
}

export interface GatherRequest {
  /** Undefined: all namespaces. */
  readonly within: string | undefined;
  /** Cloud of classes that name none. */
  readonly cloudName: string;
  /** Whether the answer needs the class. If the classes that it needs are in few namespaces, the command lists other kinds only there. */
  readonly isWanted: (spc: ReadClass) => boolean;
  /** Namespace whose pods and other users the answer needs even if it has no such class. */
  readonly needed?: string;
}

/** Lists classes, and then their users: five kinds, each with one list if the user may and more than a few namespaces count. */
export async function gather(cluster: Cluster, { clock, signal, terminal }: CommandContext, request: GatherRequest): Promise<Gathered> {
  const listing: ClusterListing = { kube: cluster.kube, signal };
  terminal.reportProgress("classes");
  const listed = await listClasses<SecretProviderClass>(listing, specOf, request.within, cluster.namespace);
  const { classes, unreadable } = readAll(listed.items, request.cloudName);
  const wanted = classes.filter(request.isWanted);
  const needed = request.needed === undefined ? [] : [request.needed];
  const namespaces = [...new Set([...needed, ...wanted.map(({ namespace }) => namespace)])].sort();
  const isFew = request.within !== undefined || namespaces.length <= FEW_NAMESPACES;
  const scope: Scope = isFew ? { kind: "named", names: namespaces } : { kind: "all", fallback: namespaces };
  const part = <T extends KubeObject>(asked: PartRequest<T>): Promise<Part<T>> => listPart(listing, asked, scope);
  terminal.reportProgress("Secrets, pods and statuses");
  const fieldManager = await workerFieldManager();
  const [secrets, pods, podStatuses, classStatuses] = await Promise.all([
    part(secretRequest(fieldManager)),
    part(POD_REQUEST),
    part(POD_STATUS_REQUEST),
    part<SecretProviderClassSync>({ resource: RESOURCES.secretProviderClassSyncs, options: { keep: statusOf } }),
  ]);
  const unseen: Readonly<Record<ListedKind, ReadonlyMap<string, string>>> = {
    secrets: secrets.unseen,
    pods: pods.unseen,
    podStatuses: podStatuses.unseen,
    classStatuses: classStatuses.unseen,
  };
  const snapshot = snapshotOf({
    classes: wanted,
    secrets: kept<StoredSecret>(secrets.items),
    pods: kept<PodUse>(pods.items),
    podStatuses: kept<StoredPodStatus>(podStatuses.items),
    classStatuses: classStatuses.items.map(({ metadata, status }) => statedClassOf(metadata, readStatus(status))),
    unseen: (kind, namespace) => unseen[kind].get(namespace),
    now: clock.now(),
  });
  const said = [...listed.unseen.values(), ...Object.values(unseen).flatMap((of) => [...of.values()])];
  const lacks = [...new Set(said)].map((why) => `${why}: the answer does not include them`);
  return { snapshot, unreadable, unseen: [...listed.notes, ...lacks], refusal: listed.refusal };
}

function readAll(
  items: readonly SecretProviderClass[],
  cloudName: string,
): Pick<Gathered, "unreadable"> & { readonly classes: readonly ReadClass[] } {
  const classes: ReadClass[] = [];
  const unreadable: Gathered["unreadable"][number][] = [];
  for (const spc of items.filter(isOurs)) {
    const reading = readClass(spc, secretObjectsOf(spc), { cloudName });
    const { namespace = "", name } = spc.metadata;
    if (reading.kind === "class") classes.push(reading.read);
    else unreadable.push({ namespace, name, why: reading.why });
  }
  return { classes, unreadable };
}

/** An object, reduced on arrival to the parts that count, so that a list of ten thousand is never in memory as a whole. */
interface Reduced<T> extends KubeObject {
  readonly kept: T | undefined;
}

function reducing<T>(reduce: (object: KubeObject) => T | undefined): (object: Reduced<T>) => Reduced<T> {
  return ({ apiVersion, kind, ...rest }) => ({ apiVersion, kind, metadata: NONE, kept: reduce({ apiVersion, kind, ...rest }) });
}

const NONE = { name: "" } as const;

function kept<T>(items: readonly Reduced<T>[]): readonly T[] {
  return items.flatMap((item) => item.kept ?? []);
}

/** Selects pods that have not ended. */
export const LIVE_PODS = "status.phase!=Succeeded,status.phase!=Failed";

const POD_REQUEST: PartRequest<Reduced<PodUse>> = {
  resource: RESOURCES.pods,
  options: { fieldSelector: LIVE_PODS, keep: reducing(podUseOf) },
};

const POD_STATUS_REQUEST: PartRequest<Reduced<StoredPodStatus>> = {
  resource: RESOURCES.secretProviderClassPodStatuses,
  options: { keep: reducing(storedPodStatusOf) },
};

function secretRequest(fieldManager: string): PartRequest<Reduced<StoredSecret>> {
  const reduce = (object: KubeObject): StoredSecret | undefined =>
    storedSecretOf(object, lastWriteOf(object.metadata.managedFields ?? [], fieldManager));
  return { resource: RESOURCES.secrets, options: { labelSelector: `${MANAGED_LABEL}=true`, metadataOnly: true, keep: reducing(reduce) } };
}

function specOf({ apiVersion, kind, metadata, spec }: SecretProviderClass): SecretProviderClass {
  return { apiVersion, kind, metadata: identityOf(metadata), ...(spec === undefined ? {} : { spec }) };
}

function statusOf({ apiVersion, kind, metadata, status }: SecretProviderClassSync): SecretProviderClassSync {
  return { apiVersion, kind, metadata: identityOf(metadata), ...(status === undefined ? {} : { status }) };
}

function identityOf({ namespace, name, generation, creationTimestamp }: ObjectMeta): ObjectMeta {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(generation === undefined ? {} : { generation }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
  };
}
