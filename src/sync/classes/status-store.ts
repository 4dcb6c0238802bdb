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

/** The `SecretProviderClassSync` objects: what users and `kubectl get` see of a class. */
export interface StatusStore {
  readonly hasSynced: boolean;
  /** Its CRD is away: nothing can be read or written, and classes are mirrored all the same. */
  readonly isUnserved: boolean;
  /** As it was last told, whether or not it is stored. */
  get(ref: ObjectRef): ClassStatus | undefined;
  /** Whether there is one, held or not. */
  has(ref: ObjectRef): boolean;
  /** All that are stored. */
  list(): readonly StoredStatus[];
  /**
   * Writes what the change makes of the status as it was last told; undefined: nothing. Changes of one status are made and written one after
   * the other, so that none is lost. Where the kind is away or on its way out, the status is kept for {@link storeUnstored}. A status whose
   * write failed is written with the next update, whether or not that changes it.
   */
  update(ref: ObjectRef, change: (told: ClassStatus | undefined) => ClassStatus | undefined, signal: AbortSignal): Promise<void>;
  /** Whether {@link storeUnstored} has something to do. Costs next to nothing. */
  hasUnstored(ref: ObjectRef): boolean;
  /** Stores what could not be stored, and what somebody deleted. False where that has to be tried again. */
  storeUnstored(ref: ObjectRef, signal: AbortSignal): Promise<boolean>;
  remove(ref: ObjectRef, signal: AbortSignal): Promise<void>;
}

export interface StatusStoreOptions {
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly logger: Logger;
  /** Of the CRD of the statuses: what is written while it goes away is refused, or is lost with it. */
  readonly crdHealth: CrdHealth;
  /** Whether there is a class of that name. Of a status without one nothing is kept beyond what is stored. */
  readonly isOfClass: (ref: ObjectRef) => boolean;
  /** A status disappeared without our doing, is not what we write, or has room by now. Other updates are our own and need no answer. */
  readonly onLost: (classKey: string) => void;
}

const RESOURCE = RESOURCES.secretProviderClassSyncs;

export function startStatusStore(options: StatusStoreOptions, signal: AbortSignal): StatusStore {
  const { kube, watcher, crdHealth, logger, isOfClass, onLost } = options;
  const room = new Room({ allBytes: ALL_STATUSES_BYTES, onRoom: onLost });
  /** Our own writes that the watch has not shown yet. */
  const written = new Map<string, Written>();
  /** What the API server does not have, though it should. */
  const unstored = new Map<string, ClassStatus>();
  /** Of the object that the watch has shown last. */
  let shown = "";
  /** Writes that are under way. What disappeared meanwhile, and has not come since, may be what they wrote. */
  const writing = new Map<string, { isLost: boolean }>();
  /** Deleted by us: their disappearance is no loss. */
  const removed = new Set<string>();
  const noteSeen = (key: string, isLost: boolean): void => {
    const write = writing.get(key);
    if (write !== undefined) write.isLost = isLost;
  };
  /** As it was last, now that the watch has shown something newer. */
  const takeLast = (key: string, previous: StoredStatus | undefined): ClassStatus | undefined => {
    const last = written.get(key)?.status ?? previous?.status;
    written.delete(key);
    return last;
  };
  const noteLoss = (ref: ObjectRef, last: ClassStatus | undefined): void => {
    const key = objectKey(ref);
    // What is being written while it disappears is newer.
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
    // The object comes first, and its status a moment later.
    if (isEmpty(current) || isBefore(current, written.get(key))) return;
    const last = takeLast(key, previous);
    noteSeen(key, false);
    const { status, isCurrentForm, excess } = current;
    if (excess !== undefined && excess !== previous?.excess && isOfClass(ref))
      logger.warn("a status is too large to keep", { class: key, detail: EXCESSES[excess] });
    if (excess === "parts") {
      // Nobody but us writes it, and this was not us.
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
  const told = (ref: ObjectRef): ClassStatus | undefined => {
    const key = objectKey(ref);
    return unstored.get(key) ?? written.get(key)?.status ?? reflector.get(ref)?.status;
  };
  /** What an older version wrote is stored anew at the next look, where nothing newer is. */
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
        // Whatever was written before is gone, too.
        written.delete(key);
        unstored.set(key, status);
        return;
      }
      unstored.delete(key);
      const seen = reflector.get(ref)?.version;
      const isSeen = seen === version || (seen !== undefined && isVersionOlder(version, seen));
      // Where the watch was faster it has what is held.
      if (isSeen) written.delete(key);
      else written.set(key, { status, version });
    } finally {
      writing.delete(key);
    }
  };
  /** Our write that is lost: the watch is past it and has no object, which between two lists came and went without an event. */
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
    // The watched state costs nothing and is asked first: the live one is for the moment in which it lags.
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
    get: told,
    has: (ref) => told(ref) !== undefined || reflector.get(ref) !== undefined,
    list: () => reflector.list(),
    update: (ref, change, writeSignal) =>
      turns.run(objectKey(ref), async () => {
        const status = change(told(ref)) ?? toStore(ref);
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
  const held = heldStatus(object, (bytes) => room.take(key, { uid, bytes })); // Our own CRD's schema.
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

/** Of two writes in a row the watch shows the first one when the second one is made already. */
function isBefore({ version = "" }: StoredStatus, own: Written | undefined): boolean {
  return own !== undefined && isVersionOlder(version, own.version);
}

export interface StoredStatus extends HeldStatus {
  /** `namespace/name` */
  readonly key: string;
  readonly uid: string;
  readonly version: string | undefined;
  /** Of the object itself. */
  readonly generation: number | undefined;
}
