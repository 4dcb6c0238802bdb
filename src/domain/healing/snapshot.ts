import type { ManagedFieldsEntry, SecretProviderClass, SecretProviderClassSpec } from "../kubernetes.ts";

/** Everything needed to make a class again as it was, and to tell a deletion from a loss. Never holds a secret value. */
export interface ClassSnapshot {
  readonly format: 1;
  readonly namespace: string;
  readonly name: string;
  /** Uid of the CRD that the class lived under. */
  readonly crdUid: string;
  readonly uid: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: SecretProviderClassSpec;
  /** Who wrote which field: a class that comes back is handed back to them, so that their next write meets no conflict. */
  readonly managedFields: readonly ManagedFieldsEntry[];
}

export function snapshotOf(provider: SecretProviderClass, crdUid: string): ClassSnapshot {
  const { metadata } = provider;
  return {
    format: 1,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    crdUid,
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

export function snapshotDrift(snapshot: ClassSnapshot, live: SecretProviderClass, crdUid: string): SnapshotDrift {
  const wanted = snapshotOf(live, crdUid);
  const isSameObject = snapshot.uid === wanted.uid && snapshot.generation === wanted.generation && snapshot.crdUid === crdUid;
  if (isSameObject && isCutFrom(wanted.spec, snapshot.spec)) return "damaged";
  return canonical(snapshot) === canonical(wanted) ? "current" : "outdated";
}

/** The one is the other with fields removed, and less than it. */
function isCutFrom(cut: unknown, whole: unknown): boolean {
  return canonical(cut) !== canonical(whole) && isPart(cut, whole);
}

function isPart(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part))
    return Array.isArray(whole) && part.length === whole.length && part.every((item, index) => isPart(item, whole[index]));
  if (!isRecord(part)) return part === whole;
  return isRecord(whole) && Object.entries(part).every(([key, value]) => isPart(value, whole[key]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON with sorted keys: equal for equal content, whatever the order in which it was written. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
