import { isDeepStrictEqual } from "node:util";
import { type KubeObject, type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { isVersionOlder } from "../../domain/resource-version.ts";
import { type HeldStatus, heldStatus, type StatusExcess } from "../../domain/sync/held-status.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { Turns } from "../../runtime/turns.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import { ALL_STATUSES_BYTES, NAMESPACE_BYTES, Room } from "../room.ts";
import { applyStatus, deleteStatus } from "./status-writes.ts";

/** The `SecretProviderClassSync` objects, in which users and `kubectl get` see the state of a class. */
export interface StatusStore {
  readonly hasSynced: boolean;
  /** Whether the CRD of the statuses is missing: the worker can neither read nor write statuses, but still syncs classes. */
  readonly isUnserved: boolean;
  /** Returns the latest status, whether or not it is stored. */
  get(ref: ObjectRef): ClassStatus | undefined;
  /** Whether a status exists, held or not. */
  has(ref: ObjectRef): boolean;
  /** All stored statuses. */
  list(): readonly StoredStatus[];
  /**
   * Writes the status that `change` makes of the latest one; undefined writes nothing. Changes of one status are made and written one after
   * the other, so that none is lost. If the CRD is missing or about to disappear, the status is kept for {@link storeUnstored}. A status
   * whose write failed is written with the next update, even if that update changes nothing.
   */
  update(ref: ObjectRef, change: (reported: ClassStatus | undefined) => ClassStatus | undefined, signal: AbortSignal): Promise<void>;
  /** Whether {@link storeUnstored} has something to do. Cheap to call. */
  hasUnstored(ref: ObjectRef): boolean;
  /** Stores a status that could not be stored, or that someone deleted. Returns false if this has to be repeated. */
  storeUnstored(ref: ObjectRef, signal: AbortSignal): Promise<boolean>;
  remove(ref: ObjectRef, signal: AbortSignal): Promise<void>;
}

export interface StatusStoreOptions {
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly logger: Logger;
  /** Health of the statuses' CRD: a write while the CRD disappears is refused, or lost with it. */
  readonly crdHealth: CrdHealth;
  /** Whether a class of that name exists. Without a class, the worker keeps nothing of a status that is not stored. */
  readonly isOfClass: (ref: ObjectRef) => boolean;
  /**
   * Called if a status disappears without the worker's doing, has content that the worker does not write, or gets room. Other updates are
   * the worker's own and need no reaction.
   */
  readonly onLost: (classKey: string) => void;
}

const RESOURCE = RESOURCES.secretProviderClassSyncs;

export function startStatusStore(options: StatusStoreOptions, signal: AbortSignal): StatusStore {
  const { kube, watcher, crdHealth, logger, isOfClass, onLost } = options;
  const room = new Room({ allBytes: ALL_STATUSES_BYTES, onRoom: onLost });
  /** The worker's own writes that the watch has not shown yet. */
  const written = new Map<string, Written>();
  /** Statuses that the API server should have, but does not. */
  const unstored = new Map<string, ClassStatus>();
  /** Version of the object that the watch showed last. */
  let shown = "";
  /** Writes in progress. `isLost`: an object disappeared meanwhile and has not appeared again, so it may be the written one. */
  const writing = new Map<string, { isLost: boolean }>();
  /** Statuses that the worker deleted. Their disappearance is not a loss. */
  const removed = new Set<string>();
  const noteSeen = (key: string, isLost: boolean): void => {
    const write = writing.get(key);
    if (write !== undefined) write.isLost = isLost;
  };
  /** Returns the latest status from before the watch showed something newer. */
  const takeLast = (key: string, previous: StoredStatus | undefined): ClassStatus | undefined => {
    const last = written.get(key)?.status ?? previous?.status;
    written.delete(key);
    return last;
  };
  const noteLoss = (ref: ObjectRef, last: ClassStatus | undefined): void => {
    const key = objectKey(ref);
    // A status that is being written while the object disappears is newer.
    if (last !== undefined && !unstored.has(key) && isOfClass(ref)) unstored.set(key, last);
  };
  const noteGone = (ref: ObjectRef, previous: StoredStatus | undefined): void => {
    const key = objectKey(ref);
    room.leave(key, previous?.uid);
    const last = takeLast(key, previous);
    noteSeen(key, !removed.has(key));
    if (!removed.delete(key)) noteLoss(ref, last);
    onLost(key);
  };
  const noteShown = (ref: ObjectRef, { previous, current }: Shown): void => {
    const key = objectKey(ref);
    // The object appears first, and its status a moment later.
    if (isEmpty(current) || isBefore(current, written.get(key))) return;
    const last = takeLast(key, previous);
    noteSeen(key, false);
    const { status, isCurrentForm, excess } = current;
    if (excess !== undefined && excess !== previous?.excess && isOfClass(ref))
      logger.warn("a status is too large to keep", { class: key, detail: EXCESSES[excess] });
    if (excess === "parts") {
      // Only the worker writes statuses, and it did not write this one.
      noteLoss(ref, last);
      onLost(key);
    } else if (isCurrentForm && isDeepStrictEqual(status, unstored.get(key))) unstored.delete(key);
  };
  const reflector: Reflector<StoredStatus> = watcher.reflect(
    {
      resource: RESOURCE,
      project: (object) => projected(room, object),
      onChange: (ref, { previous, current }) => {
        shown = current?.version ?? shown;
        if (current === undefined) noteGone(ref, previous);
        else noteShown(ref, { previous, current });
      },
      observer: { listed: (namespace) => room.keepOnly(reflector, namespace) },
    },
    signal,
  );
  const turns = new Turns();
  const reported = (ref: ObjectRef): ClassStatus | undefined => {
    const key = objectKey(ref);
    return unstored.get(key) ?? written.get(key)?.status ?? reflector.get(ref)?.status;
  };
  /** Returns the status that has to be stored. The next reconcile stores a status in an older version's form again, unless there is a newer one. */
  const toStore = (ref: ObjectRef): ClassStatus | undefined => {
    const key = objectKey(ref);
    const shown = written.has(key) ? undefined : reflector.get(ref);
    return unstored.get(key) ?? (shown?.isCurrentForm === false ? shown.status : undefined);
  };
  const store = async (ref: ObjectRef, status: ClassStatus, storeSignal: AbortSignal): Promise<void> => {
    const key = objectKey(ref);
    unstored.set(key, status);
    const isNew = reflector.get(ref) === undefined && !written.has(key);
    const write = { isLost: false };
    writing.set(key, write);
    try {
      const version = await applyStatus(options, { ref, status, isNew, generation: reflector.get(ref)?.generation }, storeSignal);
      if (version === undefined || write.isLost) {
        // Earlier writes are gone, too.
        written.delete(key);
        unstored.set(key, status);
        return;
      }
      unstored.delete(key);
      const seen = reflector.get(ref)?.version;
      const isSeen = seen === version || (seen !== undefined && isVersionOlder(version, seen));
      // If the watch was faster, the live copy already has the status.
      if (isSeen) written.delete(key);
      else written.set(key, { status, version });
    } finally {
      writing.delete(key);
    }
  };
  /**
   * Returns a lost write of the worker: the watch is past the write and shows no object. The object appeared and disappeared between two
   * lists, without an event.
   */
  const lostWrite = (ref: ObjectRef): Written | undefined => {
    const own = written.get(objectKey(ref));
    if (own === undefined || !reflector.hasSynced || reflector.get(ref) !== undefined) return undefined;
    return isVersionOlder(own.version, shown) ? own : undefined;
  };
  const noteLostWrite = (ref: ObjectRef): void => {
    const key = objectKey(ref);
    const lost = lostWrite(ref);
    if (lost === undefined) return;
    written.delete(key);
    if (!unstored.has(key)) unstored.set(key, lost.status);
  };
  const storeUnstored = async (ref: ObjectRef, storeSignal: AbortSignal): Promise<boolean> => {
    noteLostWrite(ref);
    const status = toStore(ref);
    if (status === undefined) return true;
    // The watched state costs nothing, so it is checked first. The live read is for the moment in which the watch lags behind.
    if (crdHealth.state.kind === "frozen" || (await crdHealth.confirm(storeSignal)).kind === "frozen") return false;
    await store(ref, status, storeSignal);
    return !unstored.has(objectKey(ref));
  };
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get isUnserved() {
      return reflector.isUnserved;
    },
    get: reported,
    has: (ref) => reported(ref) !== undefined || reflector.get(ref) !== undefined,
    list: () => reflector.list(),
    update: (ref, change, writeSignal) =>
      turns.run(objectKey(ref), async () => {
        const status = change(reported(ref)) ?? toStore(ref);
        if (status === undefined) return;
        if (crdHealth.state.kind === "frozen") unstored.set(objectKey(ref), status);
        else await store(ref, status, writeSignal);
      }),
    hasUnstored: (ref) => toStore(ref) !== undefined || lostWrite(ref) !== undefined,
    storeUnstored: (ref, storeSignal) => turns.run(objectKey(ref), () => storeUnstored(ref, storeSignal)),
    remove: (ref, removeSignal) =>
      turns.run(objectKey(ref), async () => {
        const key = objectKey(ref);
        written.delete(key);
        unstored.delete(key);
        removed.add(key);
        if (!(await deleteStatus(kube, ref, removeSignal))) removed.delete(key);
      }),
  };
}

const EXCESSES: Readonly<Record<StatusExcess, string>> = {
  parts: "it has more entries than the worker writes; the worker rewrites it",
  namespace: `the large statuses of a namespace can have at most ${NAMESPACE_BYTES} bytes in total, or less if many namespaces have large statuses; the worker queries the vault at each reconcile of the class`,
};

function projected(room: Room, object: KubeObject): StoredStatus {
  const key = objectKey(object.metadata);
  const { uid = "", resourceVersion, generation } = object.metadata;
  const held = heldStatus(object, (bytes) => room.take(key, { uid, bytes }));
  if (held.status === undefined && held.excess !== "namespace") room.leave(key);
  return { key, uid, version: resourceVersion, generation, ...held };
}

interface Shown {
  readonly previous: StoredStatus | undefined;
  readonly current: StoredStatus;
}

function isEmpty({ status, excess }: HeldStatus): boolean {
  return status === undefined && excess === undefined;
}

interface Written {
  readonly status: ClassStatus;
  readonly version: string;
}

/** Whether the watch still shows an older version: after two writes in a row, it shows the first one when the second is already made. */
function isBefore({ version = "" }: StoredStatus, own: Written | undefined): boolean {
  return own !== undefined && isVersionOlder(version, own.version);
}

export interface StoredStatus extends HeldStatus {
  /** `namespace/name` */
  readonly key: string;
  readonly uid: string;
  readonly version: string | undefined;
  /** Generation of the status object itself, not of the class. */
  readonly generation: number | undefined;
}
