import { isDeepStrictEqual } from "node:util";
import { type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { isVersionOlder } from "../../domain/resource-version.ts";
import type { ClassStatus } from "../../domain/sync/class-status.ts";
import { isCurrentForm, readStatus, type SecretProviderClassSync, storedForm } from "../../domain/sync/stored-status.ts";
import { Turns } from "../../runtime/turns.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { CrdGate } from "../healing/crd-gate.ts";

/** The `SecretProviderClassSync` objects: what users and `kubectl get` see of a class. */
export interface StatusStore {
  readonly hasSynced: boolean;
  /** Its CRD is away: nothing can be read or written, and classes are mirrored all the same. */
  readonly isUnserved: boolean;
  /** As it was last told, whether or not it is stored. */
  get(ref: ObjectRef): ClassStatus | undefined;
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
  readonly gate: CrdGate;
  /** A status object disappeared without our doing. Updates are our own and need no answer. */
  readonly onLost: (classKey: string) => void;
}

const RESOURCE = RESOURCES.secretProviderClassSyncs;

export function startStatusStore(options: StatusStoreOptions, signal: AbortSignal): StatusStore {
  const { kube, watcher, gate, onLost } = options;
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
  const reflector: Reflector<StoredStatus> = watcher.reflect(
    {
      resource: RESOURCE,
      project: (object) => ({
        key: objectKey(object.metadata),
        version: object.metadata.resourceVersion,
        generation: object.metadata.generation,
        ...readOf(object as SecretProviderClassSync), // Our own CRD's schema.
      }),
      onChange: (ref, { previous, current }) => {
        const key = objectKey(ref);
        shown = current?.version ?? shown;
        // The object comes first, and its status a moment later.
        if (current !== undefined && (current.status === undefined || isBefore(current, written.get(key)))) return;
        const last = written.get(key)?.status ?? previous?.status;
        written.delete(key);
        noteSeen(key, current === undefined && !removed.has(key));
        if (current?.status !== undefined) {
          noteShown(unstored, current, current.status);
          return;
        }
        // What is being written while it disappears is newer.
        if (!removed.delete(key) && last !== undefined && !unstored.has(key)) unstored.set(key, last);
        onLost(key);
      },
    },
    signal,
  );
  const turns = new Turns();
  const told = (ref: ObjectRef): ClassStatus | undefined => {
    const key = objectKey(ref);
    return unstored.get(key) ?? written.get(key)?.status ?? reflector.get(ref)?.status;
  };
  const store = async (ref: ObjectRef, status: ClassStatus, storeSignal: AbortSignal): Promise<void> => {
    const key = objectKey(ref);
    unstored.set(key, status);
    const isNew = reflector.get(ref) === undefined && !written.has(key);
    const write = { isLost: false };
    writing.set(key, write);
    try {
      const version = await applied(options, { ref, status, isNew, generation: reflector.get(ref)?.generation }, storeSignal);
      if (version === undefined || write.isLost) {
        // Whatever was written before is gone, too.
        written.delete(key);
        unstored.set(key, status);
        return;
      }
      unstored.delete(key);
      written.set(key, { status, version });
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
  const noteLost = (ref: ObjectRef): void => {
    const key = objectKey(ref);
    const lost = lostWrite(ref);
    if (lost === undefined) return;
    written.delete(key);
    if (!unstored.has(key)) unstored.set(key, lost.status);
  };
  const storeUnstored = async (ref: ObjectRef, storeSignal: AbortSignal): Promise<boolean> => {
    noteLost(ref);
    const status = unstored.get(objectKey(ref));
    if (status === undefined) return true;
    // The watched state costs nothing and is asked first: the live one is for the moment in which it lags.
    if (gate.state.kind === "frozen" || (await gate.confirm(storeSignal)).kind === "frozen") return false;
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
    list: () => reflector.list(),
    update: (ref, change, writeSignal) =>
      turns.run(objectKey(ref), async () => {
        const status = change(told(ref)) ?? unstored.get(objectKey(ref));
        if (status === undefined) return;
        if (gate.state.kind === "frozen") unstored.set(objectKey(ref), status);
        else await store(ref, status, writeSignal);
      }),
    hasUnstored: (ref) => unstored.has(objectKey(ref)) || lostWrite(ref) !== undefined,
    storeUnstored: (ref, storeSignal) => turns.run(objectKey(ref), () => storeUnstored(ref, storeSignal)),
    remove: (ref, removeSignal) =>
      turns.run(objectKey(ref), async () => {
        const key = objectKey(ref);
        written.delete(key);
        unstored.delete(key);
        removed.add(key);
        if (!(await isDeleted(kube, ref, removeSignal))) removed.delete(key);
      }),
  };
}

function readOf(object: SecretProviderClassSync): Pick<StoredStatus, "status" | "isCurrentForm"> {
  return { status: readStatus(object.status), isCurrentForm: isCurrentForm(object) };
}

/** What is shown may be older than what could not be stored since. What an older version wrote is stored anew at the next look. */
function noteShown(unstored: Map<string, ClassStatus>, { key, isCurrentForm: isCurrent }: StoredStatus, status: ClassStatus): void {
  if (isCurrent && isDeepStrictEqual(status, unstored.get(key))) unstored.delete(key);
  if (!isCurrent && !unstored.has(key)) unstored.set(key, status);
}

interface Written {
  readonly status: ClassStatus;
  readonly version: string;
}

/** Of two writes in a row the watch shows the first one when the second one is made already. */
function isBefore({ version = "" }: StoredStatus, own: Written | undefined): boolean {
  return own !== undefined && isVersionOlder(version, own.version);
}

/** False where there was nothing to delete, the kind itself included. */
async function isDeleted(kube: KubeClient, ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
  try {
    return await kube.delete(RESOURCE, ref, {}, signal);
  } catch (error) {
    if (error instanceof KubeError && error.code === "NotFound") return false;
    throw error;
  }
}

export interface StoredStatus {
  /** `namespace/name` */
  readonly key: string;
  readonly version: string | undefined;
  /** Of the object itself. */
  readonly generation: number | undefined;
  readonly status: ClassStatus | undefined;
  /** As this version stores it. */
  readonly isCurrentForm: boolean;
}

interface StatusWrite {
  readonly ref: ObjectRef;
  readonly status: ClassStatus;
  readonly isNew: boolean;
  readonly generation: number | undefined;
}

/** Resolves with the version that was written; undefined where the kind is away. */
async function applied(options: StatusStoreOptions, write: StatusWrite, signal: AbortSignal): Promise<string | undefined> {
  const { kube, logger } = options;
  const { ref, status, isNew } = write;
  const written = { fieldManager: FIELD_MANAGER, force: true };
  try {
    const shellMade = isNew ? await kube.apply<SecretProviderClassSync>(RESOURCE, shell(ref), written, signal) : undefined;
    const body = { ...shell(ref), status: storedForm(status, shellMade?.metadata.generation ?? write.generation) };
    const made = await kube.apply<SecretProviderClassSync>(RESOURCE, body, { ...written, subresource: "status" }, signal);
    return made.metadata.resourceVersion ?? "";
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "NotFound") throw error;
    // The object may be gone, and the watch has not said so.
    if (!isNew) return applied(options, { ...write, isNew: true }, signal);
    logger.debug("the status could not be stored because its kind is away", { class: objectKey(ref) });
    return undefined;
  }
}

function shell({ namespace, name }: ObjectRef): SecretProviderClassSync {
  return {
    apiVersion: `${RESOURCE.group}/${RESOURCE.version}`,
    kind: RESOURCE.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
}
