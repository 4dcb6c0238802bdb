import { type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { ClassStatus, SecretProviderClassSync } from "../../domain/sync/class-status.ts";
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
  /** Where the kind is away or on its way out, the status is kept for {@link storeUnstored}. */
  write(ref: ObjectRef, status: ClassStatus, signal: AbortSignal): Promise<void>;
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
  const written = new Map<string, ClassStatus>();
  /** What the API server does not have, though it should. */
  const unstored = new Map<string, ClassStatus>();
  /** Deleted by us: their disappearance is no loss. */
  const removed = new Set<string>();
  const reflector: Reflector<StoredStatus> = watcher.reflect(
    {
      resource: RESOURCE,
      project: (object) => ({
        key: objectKey(object.metadata),
        status: (object as SecretProviderClassSync).status,
      }), // Our own CRD's schema.
      onChange: (ref, { previous, current }) => {
        const key = objectKey(ref);
        // The object comes first, and its status a moment later.
        if (current !== undefined && current.status === undefined) return;
        const last = written.get(key) ?? previous?.status;
        written.delete(key);
        if (current !== undefined) {
          unstored.delete(key);
          return;
        }
        if (!removed.delete(key) && last !== undefined) unstored.set(key, last);
        onLost(key);
      },
    },
    signal,
  );
  const store = async (ref: ObjectRef, status: ClassStatus, storeSignal: AbortSignal): Promise<void> => {
    unstored.set(objectKey(ref), status);
    if (await applied(options, { ref, status, isNew: reflector.get(ref) === undefined }, storeSignal)) {
      unstored.delete(objectKey(ref));
      written.set(objectKey(ref), status);
    }
  };
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get isUnserved() {
      return reflector.isUnserved;
    },
    get: (ref) => unstored.get(objectKey(ref)) ?? written.get(objectKey(ref)) ?? reflector.get(ref)?.status,
    list: () => reflector.list(),
    write: async (ref, status, writeSignal) => {
      if (gate.state.kind === "frozen") unstored.set(objectKey(ref), status);
      else await store(ref, status, writeSignal);
    },
    storeUnstored: async (ref, storeSignal) => {
      const status = unstored.get(objectKey(ref));
      if (status === undefined) return true;
      // The watched state costs nothing and is asked first: the live one is for the moment in which it lags.
      if (gate.state.kind === "frozen" || (await gate.confirm(storeSignal)).kind === "frozen") return false;
      await store(ref, status, storeSignal);
      return !unstored.has(objectKey(ref));
    },
    remove: async (ref, removeSignal) => {
      const key = objectKey(ref);
      written.delete(key);
      unstored.delete(key);
      removed.add(key);
      if (!(await isDeleted(kube, ref, removeSignal))) removed.delete(key);
    },
  };
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
  readonly status: ClassStatus | undefined;
}

interface StatusWrite {
  readonly ref: ObjectRef;
  readonly status: ClassStatus;
  readonly isNew: boolean;
}

/** False where the kind is away. */
async function applied({ kube, logger }: StatusStoreOptions, { ref, status, isNew }: StatusWrite, signal: AbortSignal): Promise<boolean> {
  const written = { fieldManager: FIELD_MANAGER, force: true };
  try {
    if (isNew) await kube.apply<SecretProviderClassSync>(RESOURCE, shell(ref), written, signal);
    await kube.apply<SecretProviderClassSync>(RESOURCE, { ...shell(ref), status }, { ...written, subresource: "status" }, signal);
    return true;
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "NotFound") throw error;
    logger.debug("the status could not be stored because its kind is away", { class: objectKey(ref) });
    return false;
  }
}

function shell({ namespace, name }: ObjectRef): SecretProviderClassSync {
  return {
    apiVersion: `${RESOURCE.group}/${RESOURCE.version}`,
    kind: RESOURCE.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
}
