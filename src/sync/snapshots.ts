import { createHash } from "node:crypto";
import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../domain/annotations.ts";
import { type ClassSnapshot, canonical, SNAPSHOT_FORMAT } from "../domain/healing/snapshot.ts";
import { type KubeObject, type ObjectRef, RESOURCES } from "../domain/kubernetes.ts";
import { objectKey } from "../domain/object-key.ts";
import { type KubeClient, KubeError, type KubeWatcher, type Logger, type Reflector } from "../domain/ports.ts";
import { type Fingerprints, isSameFingerprint } from "./content-hmac.ts";
import { FIELD_MANAGER } from "./field-manager.ts";

/** apps/v1: a built-in kind, so it survives the deletion of every CRD. `data` is immutable. */
interface ControllerRevision extends KubeObject {
  readonly revision: number;
  readonly data: unknown;
}

interface StoredSnapshot {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: number;
  readonly classKey: string;
  readonly snapshot: ClassSnapshot;
}

/** Class snapshots in ControllerRevisions of the class's namespace. A forged or foreign one is ignored and reported. */
export interface Snapshots {
  readonly hasSynced: boolean;
  /** The newest trustworthy snapshot of `namespace/name`. */
  get(key: string): ClassSnapshot | undefined;
  /** Keys of all classes with a snapshot. */
  keys(): readonly string[];
  save(snapshot: ClassSnapshot, signal: AbortSignal): Promise<void>;
  remove(key: string, signal: AbortSignal): Promise<void>;
}

export interface SnapshotsOptions {
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  readonly logger: Logger;
  readonly onChange: (key: string) => void;
}

export function startSnapshots(options: SnapshotsOptions, signal: AbortSignal): Snapshots {
  const { kube, watcher, fingerprints, logger, onChange } = options;
  const index = new SnapshotIndex();
  const deleteAll = async (snapshots: readonly StoredSnapshot[], deleteSignal: AbortSignal): Promise<void> => {
    for (const stored of snapshots) {
      const { ref, uid } = stored;
      await kube.delete(RESOURCES.controllerRevisions, ref, uid === "" ? {} : { uid }, deleteSignal);
      // One that came and went between two lists makes no event: forgotten here, it never speaks for its class again.
      index.remove(stored);
    }
  };
  const reflector: Reflector<StoredSnapshot> = watcher.reflect<StoredSnapshot>(
    {
      resource: RESOURCES.controllerRevisions,
      labelSelector: `${SNAPSHOT_LABEL}=true`,
      project: (object) => verified(object as ControllerRevision, { fingerprints, logger }),
      onChange: (_ref, { previous, current }) => {
        if (previous !== undefined) index.remove(previous);
        if (current !== undefined) index.add(current);
        const key = (current ?? previous)?.classKey;
        if (key !== undefined) onChange(key);
      },
    },
    signal,
  );

  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get: (key) => index.newest(key)?.snapshot,
    keys: () => index.keys(),
    save: async (snapshot, saveSignal) => {
      const body = revisionOf(snapshot, fingerprints);
      const stored = storedFrom(await createOrFind(kube, body, saveSignal), snapshot);
      const older = index.all(stored.classKey).filter((candidate) => candidate.ref.name !== stored.ref.name);
      // The watch shows it a moment later; until then the next reconcile must already see it.
      index.add(stored);
      await deleteAll(older, saveSignal);
    },
    remove: (key, removeSignal) => deleteAll(index.all(key), removeSignal),
  };
}

/** Snapshots by class. During an update a class has two for a moment: the newer one counts. */
class SnapshotIndex {
  readonly #byClass = new Map<string, Map<string, StoredSnapshot>>();

  add(stored: StoredSnapshot): void {
    const ofClass = this.#byClass.get(stored.classKey) ?? new Map<string, StoredSnapshot>();
    ofClass.set(stored.ref.name, stored);
    this.#byClass.set(stored.classKey, ofClass);
  }

  remove({ classKey, ref }: StoredSnapshot): void {
    const ofClass = this.#byClass.get(classKey);
    ofClass?.delete(ref.name);
    if (ofClass?.size === 0) this.#byClass.delete(classKey);
  }

  all(classKey: string): StoredSnapshot[] {
    return [...(this.#byClass.get(classKey)?.values() ?? [])];
  }

  newest(classKey: string): StoredSnapshot | undefined {
    return this.all(classKey).sort((a, b) => b.resourceVersion - a.resourceVersion)[0];
  }

  keys(): readonly string[] {
    return [...this.#byClass.keys()];
  }
}

async function createOrFind(kube: KubeClient, body: ControllerRevision, signal: AbortSignal): Promise<ControllerRevision> {
  try {
    return await kube.create(RESOURCES.controllerRevisions, body, { fieldManager: FIELD_MANAGER }, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
    // The name is a digest of the content: what is there is this very snapshot, unless somebody took the name on purpose.
    const found = await kube.read<ControllerRevision>(RESOURCES.controllerRevisions, refOf(body), signal);
    if (found.kind === "found" && canonical(found.object.data) === canonical(body.data)) return found.object;
    throw error;
  }
}

function refOf({ metadata }: ControllerRevision): ObjectRef {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

function storedFrom(revision: ControllerRevision, snapshot: ClassSnapshot): StoredSnapshot {
  return {
    ref: refOf(revision),
    uid: revision.metadata.uid ?? "",
    resourceVersion: Number(revision.metadata.resourceVersion ?? "0"),
    classKey: `${snapshot.namespace}/${snapshot.name}`,
    snapshot,
  };
}

/** Only our label: a StatefulSet adopts, and later deletes, a ControllerRevision whose labels match its selector. */
function revisionOf(snapshot: ClassSnapshot, fingerprints: Fingerprints): ControllerRevision {
  const fingerprint = fingerprints.ofText(canonical(snapshot));
  const place = createHash("sha256").update(`${snapshot.namespace}/${snapshot.name}`).digest("hex").slice(0, 16);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      // Part of the fingerprint: the same content under a new key is a new snapshot, since the old one is no longer trusted.
      name: `keyvault-injector-${place}-${fingerprint.slice(-16)}`,
      namespace: snapshot.namespace,
      labels: { [SNAPSHOT_LABEL]: "true" },
      annotations: {
        [SNAPSHOT_ANNOTATIONS.class]: snapshot.name,
        [SNAPSHOT_ANNOTATIONS.content]: fingerprint,
      },
    },
    revision: snapshot.generation,
    data: snapshot,
  };
}

function verified(
  revision: ControllerRevision,
  { fingerprints, logger }: { fingerprints: Fingerprints; logger: Logger },
): StoredSnapshot | undefined {
  const { metadata } = revision;
  const claimed = metadata.annotations?.[SNAPSHOT_ANNOTATIONS.content] ?? "";
  const snapshot = revision.data as ClassSnapshot; // Trusted only if the fingerprint below proves that we wrote it.
  const isOurs =
    isSameFingerprint(claimed, fingerprints.ofText(canonical(snapshot))) &&
    snapshot.namespace === metadata.namespace &&
    snapshot.format === SNAPSHOT_FORMAT;
  if (!isOurs) {
    logger.warn("a class snapshot was not written by this install and is ignored", {
      snapshot: objectKey(metadata),
    });
    return undefined;
  }
  return storedFrom(revision, snapshot);
}
