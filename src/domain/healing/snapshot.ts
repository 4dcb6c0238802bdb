import { isJsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry, SecretProviderClass, SecretProviderClassSpec } from "../kubernetes.ts";

/** Raised with every change of what a snapshot holds: an older one is not understood, and taken anew. */
export const SNAPSHOT_FORMAT = 2;

/** Everything needed to make a class again as it was, and to tell a deletion from a loss. Never holds a secret value. */
export interface ClassSnapshot {
  readonly format: typeof SNAPSHOT_FORMAT;
  readonly namespace: string;
  readonly name: string;
  /** Uid of the CRD that the class lived under. */
  readonly crdUid: string;
  /** Generation of that CRD: whether its schema was changed since. */
  readonly crdGeneration: number;
  readonly uid: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: SecretProviderClassSpec;
  /** Who wrote which field: a class that comes back is handed back to them, so that their next write meets no conflict. */
  readonly managedFields: readonly ManagedFieldsEntry[];
}

/** The CRD as it was when the class was read. */
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
 * How a live class stands to its snapshot. `damaged`: the API server raises the generation with every change of the
 * spec, so a spec that lost fields at the same uid and generation was cut by a damaged schema, not edited. One that has
 * more than its snapshot is never cut back: then it is the snapshot that was taken too late.
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
 * Whole fields of the spec that are gone. Gone in a write that came with a change of the CRD's schema, they were cut from
 * that write: who meant to remove them removes them once more.
 */
function lostFields(snapshot: ClassSnapshot, live: SecretProviderClass): readonly string[] {
  const spec: Readonly<Record<string, unknown>> = { ...live.spec };
  return Object.keys(snapshot.spec).filter((field) => spec[field] === undefined);
}

/** What brings a damaged class back: after an edit the lost fields alone, so that the edit stays. */
export function missingSpec(snapshot: ClassSnapshot, live: SecretProviderClass): SecretProviderClassSpec {
  if (snapshot.generation === live.metadata.generation) return snapshot.spec;
  const lost = lostFields(snapshot, live);
  return Object.fromEntries(Object.entries(snapshot.spec).filter(([field]) => lost.includes(field)));
}

/** The one is the other with fields removed, and less than it. */
function isCutFrom(cut: unknown, whole: unknown): boolean {
  return canonical(cut) !== canonical(whole) && isPart(cut, whole);
}

function isPart(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part))
    return Array.isArray(whole) && part.length === whole.length && part.every((item, index) => isPart(item, whole[index]));
  if (!isJsonObject(part)) return part === whole;
  return isJsonObject(whole) && Object.entries(part).every(([key, value]) => isPart(value, whole[key]));
}

/** JSON with sorted keys: equal for equal content, whatever the order in which it was written. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
