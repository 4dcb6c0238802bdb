import { createHash } from "node:crypto";
import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import { canonical } from "../../domain/healing/snapshot.ts";
import { type KubeObject, type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { type Fingerprints, isSameFingerprint } from "../fingerprints.ts";

/** apps/v1: a built-in kind, so it survives the deletion of every CRD. `data` is immutable. */
export interface ControllerRevision extends KubeObject {
  readonly revision: number;
  readonly data: unknown;
}

/** What of a kind of record is written, and where. */
export interface RecordKind<T> {
  /** Value of the label that tells the kinds apart. */
  readonly label: string;
  /** First part of the names. */
  readonly prefix: string;
  keyOf(data: T): string;
  namespaceOf(data: T): string;
  annotationsOf(data: T): Readonly<Record<string, string>>;
  revisionOf(data: T): number;
  /** Says that a record was not written by this install. */
  warnForged(logger: Logger, snapshot: string): void;
  /** Whether data with our fingerprint is of this version and belongs where it lies. */
  isSound(data: T, namespace: string): boolean;
}

interface Stored<T> {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: number;
  readonly key: string;
  readonly data: T;
}

/** Kept as canonical JSON, which takes a fraction of what the objects do: there may be thousands, and they are hardly ever looked into. */
interface Held extends Omit<Stored<unknown>, "data"> {
  readonly text: string;
}

/** Records in ControllerRevisions, each signed with the install's own key. A forged or foreign one is ignored and reported. */
export interface SignedRecords<T> {
  readonly hasSynced: boolean;
  /** The newest trustworthy record of the key. */
  get(key: string): T | undefined;
  /** The same as canonical JSON. */
  textOf(key: string): string | undefined;
  keys(): readonly string[];
  save(data: T, signal: AbortSignal): Promise<void>;
  remove(key: string, signal: AbortSignal): Promise<void>;
}

export interface SignedRecordsOptions<T> {
  readonly kind: RecordKind<T>;
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  readonly logger: Logger;
  /** Where all of them lie; every namespace where not given. */
  readonly namespace?: string;
  readonly onChange: (key: string) => void;
}

export function startSignedRecords<T>(options: SignedRecordsOptions<T>, signal: AbortSignal): SignedRecords<T> {
  const { kind, kube, watcher, fingerprints, logger, namespace, onChange } = options;
  const index = new RecordIndex();
  const deleteAll = async (records: readonly Held[], deleteSignal: AbortSignal): Promise<void> => {
    for (const stored of records) {
      const { ref, uid } = stored;
      await kube.delete(RESOURCES.controllerRevisions, ref, uid === "" ? {} : { uid }, deleteSignal);
      // One that came and went between two lists makes no event: forgotten here, it never speaks for its object again.
      index.remove(stored);
    }
  };
  const reflector: Reflector<Held> = watcher.reflect<Held>(
    {
      resource: RESOURCES.controllerRevisions,
      ...(namespace === undefined ? {} : { namespace }),
      labelSelector: `${SNAPSHOT_LABEL}=${kind.label}`,
      project: (object) => {
        const verified = verifiedRecord(object as ControllerRevision, { kind, fingerprints, logger });
        return verified === undefined ? undefined : held(verified);
      },
      onChange: (_ref, { previous, current }) => {
        if (previous !== undefined) index.remove(previous);
        if (current !== undefined) index.add(current);
        const key = (current ?? previous)?.key;
        if (key !== undefined) onChange(key);
      },
    },
    signal,
  );

  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get: (key) => {
      const text = index.newest(key)?.text;
      return text === undefined ? undefined : (JSON.parse(text) as T); // Made from one.
    },
    textOf: (key) => index.newest(key)?.text,
    keys: () => index.keys(),
    save: async (data, saveSignal) => {
      const body = revisionOf(data, { kind, fingerprints });
      const stored = held(storedFrom(await createOrFind(kube, body, saveSignal), data, kind));
      const older = index.all(stored.key).filter((candidate) => candidate.ref.name !== stored.ref.name);
      // The watch shows it a moment later; until then the next reconcile must already see it.
      index.add(stored);
      await deleteAll(older, saveSignal);
    },
    remove: (key, removeSignal) => deleteAll(index.all(key), removeSignal),
  };
}

/** Records by key. During an update a key has two for a moment: the newer one counts. */
class RecordIndex {
  readonly #byKey = new Map<string, Map<string, Held>>();

  add(stored: Held): void {
    const ofKey = this.#byKey.get(stored.key) ?? new Map<string, Held>();
    ofKey.set(stored.ref.name, stored);
    this.#byKey.set(stored.key, ofKey);
  }

  remove({ key, ref }: Held): void {
    const ofKey = this.#byKey.get(key);
    ofKey?.delete(ref.name);
    if (ofKey?.size === 0) this.#byKey.delete(key);
  }

  all(key: string): Held[] {
    return [...(this.#byKey.get(key)?.values() ?? [])];
  }

  newest(key: string): Held | undefined {
    return newestOf(this.all(key));
  }

  keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }
}

export function newestOf<R extends { readonly resourceVersion: number }>(records: readonly R[]): R | undefined {
  return records.toSorted((a, b) => b.resourceVersion - a.resourceVersion)[0];
}

async function createOrFind(kube: KubeClient, body: ControllerRevision, signal: AbortSignal): Promise<ControllerRevision> {
  try {
    return await kube.create(RESOURCES.controllerRevisions, body, { fieldManager: FIELD_MANAGER }, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
    // The name is a digest of the content: what is there is this very record, unless somebody took the name on purpose.
    const found = await kube.read<ControllerRevision>(RESOURCES.controllerRevisions, refOf(body), signal);
    if (found.kind === "found" && canonical(found.object.data) === canonical(body.data)) return found.object;
    throw error;
  }
}

function refOf({ metadata }: ControllerRevision): ObjectRef {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

function storedFrom<T>(revision: ControllerRevision, data: T, kind: RecordKind<T>): Stored<T> {
  return {
    ref: refOf(revision),
    uid: revision.metadata.uid ?? "",
    resourceVersion: Number(revision.metadata.resourceVersion ?? "0"),
    key: kind.keyOf(data),
    data,
  };
}

function held<T>({ data, ...stored }: Stored<T>): Held {
  return { ...stored, text: canonical(data) };
}

interface Signing<T> {
  readonly kind: RecordKind<T>;
  readonly fingerprints: Fingerprints;
}

/** Only our label: a StatefulSet adopts, and later deletes, a ControllerRevision whose labels match its selector. */
function revisionOf<T>(data: T, { kind, fingerprints }: Signing<T>): ControllerRevision {
  const fingerprint = fingerprints.ofText(canonical(data));
  const place = createHash("sha256").update(kind.keyOf(data)).digest("hex").slice(0, 16);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      // Part of the fingerprint: the same content under a new key is a new record, since the old one is no longer trusted.
      name: `${kind.prefix}-${place}-${fingerprint.slice(-16)}`,
      namespace: kind.namespaceOf(data),
      labels: { [SNAPSHOT_LABEL]: kind.label },
      annotations: { ...kind.annotationsOf(data), [SNAPSHOT_ANNOTATIONS.content]: fingerprint },
    },
    revision: kind.revisionOf(data),
    data,
  };
}

/** What a revision holds; undefined for one that this install did not write. */
export function recordIn<T>(
  { metadata, data: stored }: Pick<ControllerRevision, "metadata" | "data">,
  { kind, fingerprints }: Signing<T>,
): T | undefined {
  const claimed = metadata.annotations?.[SNAPSHOT_ANNOTATIONS.content] ?? "";
  const data = stored as T; // Trusted only if the fingerprint below proves that we wrote it.
  const isOurs = isSameFingerprint(claimed, fingerprints.ofText(canonical(data))) && kind.isSound(data, metadata.namespace ?? "");
  return isOurs ? data : undefined;
}

/** Undefined, with a word in the log, for one that this install did not write. */
export function verifiedRecord<T>(
  revision: ControllerRevision,
  { logger, ...signing }: Signing<T> & { readonly logger: Logger },
): Stored<T> | undefined {
  const data = recordIn(revision, signing);
  if (data !== undefined) return storedFrom(revision, data, signing.kind);
  signing.kind.warnForged(logger, objectKey(revision.metadata));
  return undefined;
}
