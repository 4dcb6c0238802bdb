import { isJsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry, SecretProviderClass, SecretProviderClassSpec } from "../kubernetes.ts";

/** Increase this with every change of a snapshot's content. The worker does not read an older format and takes the snapshot anew. */
export const SNAPSHOT_FORMAT = 2;

/** Everything that the worker needs to restore a class, and to distinguish a deletion from a loss. Never contains a secret value. */
export interface ClassSnapshot {
  readonly format: typeof SNAPSHOT_FORMAT;
  readonly namespace: string;
  readonly name: string;
  /** Uid of the CRD at the time of the snapshot. */
  readonly crdUid: string;
  /** Generation of that CRD, which shows whether its schema changed since. */
  readonly crdGeneration: number;
  readonly uid: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: SecretProviderClassSpec;
  /** Owners of the fields. The worker hands a restored class over to them, so that their next write causes no conflict. */
  readonly managedFields: readonly ManagedFieldsEntry[];
}

/** The CRD at the time when the class was read. */
export interface CrdIdentity {
  readonly crdUid: string;
  readonly crdGeneration: number;
}

export function classSnapshotOf(provider: SecretProviderClass, { crdUid, crdGeneration }: CrdIdentity): ClassSnapshot {
  const { metadata } = provider;
  return {
    format: SNAPSHOT_FORMAT,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    crdUid,
    crdGeneration,
    uid: metadata.uid ?? "",
    generation: metadata.generation ?? 0,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    spec: provider.spec ?? {},
    managedFields: (metadata.managedFields ?? []).filter(({ subresource }) => subresource === undefined),
  };
}

export function restoredClass(snapshot: ClassSnapshot): SecretProviderClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: {
      name: snapshot.name,
      namespace: snapshot.namespace,
      ...(Object.keys(snapshot.labels).length > 0 ? { labels: snapshot.labels } : {}),
      ...(Object.keys(snapshot.annotations).length > 0 ? { annotations: snapshot.annotations } : {}),
    },
    spec: snapshot.spec,
  };
}

/**
 * State of a live class compared with its snapshot. `damaged`: a damaged schema cut the spec. The API server increases the generation with
 * every change of the spec, so a spec that lost fields at the same uid and generation was not edited. The worker never cuts a class that
 * has more fields than its snapshot: the snapshot was taken too late then.
 */
export type SnapshotDrift = "current" | "outdated" | "damaged";

export function snapshotDrift(snapshot: ClassSnapshot, live: SecretProviderClass, crd: CrdIdentity): SnapshotDrift {
  const wanted = classSnapshotOf(live, crd);
  const isSameObject = snapshot.uid === wanted.uid && snapshot.crdUid === crd.crdUid;
  if (isSameObject && snapshot.generation === wanted.generation && isCutFrom(wanted.spec, snapshot.spec)) return "damaged";
  if (isSameObject && snapshot.crdGeneration !== crd.crdGeneration && lostFields(snapshot, live).length > 0) return "damaged";
  return canonical(snapshot) === canonical(wanted) ? "current" : "outdated";
}

/**
 * Returns the top-level fields that are missing from the live spec. If they disappeared in a write that came with a change of the CRD's
 * schema, the schema cut them. A user who meant to remove them has to remove them again.
 */
function lostFields(snapshot: ClassSnapshot, live: SecretProviderClass): readonly string[] {
  const spec: Readonly<Record<string, unknown>> = { ...live.spec };
  return Object.keys(snapshot.spec).filter((field) => spec[field] === undefined);
}

/** Returns the spec to restore in a damaged class. After an edit, contains only the lost fields, so that the edit stays. */
export function missingSpec(snapshot: ClassSnapshot, live: SecretProviderClass): SecretProviderClassSpec {
  if (snapshot.generation === live.metadata.generation) return snapshot.spec;
  const lost = lostFields(snapshot, live);
  return Object.fromEntries(Object.entries(snapshot.spec).filter(([field]) => lost.includes(field)));
}

/** Whether one value is the other with fields removed. */
function isCutFrom(cut: unknown, whole: unknown): boolean {
  return canonical(cut) !== canonical(whole) && isPart(cut, whole);
}

function isPart(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part))
    return Array.isArray(whole) && part.length === whole.length && part.every((item, index) => isPart(item, whole[index]));
  if (!isJsonObject(part)) return part === whole;
  return isJsonObject(whole) && Object.entries(part).every(([key, value]) => isPart(value, whole[key]));
}

/** Returns JSON with sorted keys, which is the same for equal content in any order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
