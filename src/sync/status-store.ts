import { type ObjectRef, RESOURCES } from "../domain/kubernetes.ts";
import { type KubeClient, KubeError, type KubeWatcher, type Logger, type Reflector } from "../domain/ports.ts";
import type { ClassStatus, SecretProviderClassSync } from "../domain/sync/class-status.ts";
import { FIELD_MANAGER } from "./field-manager.ts";

/** The `SecretProviderClassSync` objects: what users and `kubectl get` see of a class. */
export interface StatusStore {
  readonly hasSynced: boolean;
  /** Its CRD is away: nothing can be read or written, and classes are mirrored all the same. */
  readonly isUnserved: boolean;
  get(ref: ObjectRef): ClassStatus | undefined;
  /** Keys of all status objects, with or without a class. */
  keys(): readonly string[];
  /** False where the status could not be stored because its kind is away: it is written again when it is back. */
  write(ref: ObjectRef, status: ClassStatus, signal: AbortSignal): Promise<boolean>;
  remove(ref: ObjectRef, signal: AbortSignal): Promise<void>;
}

export interface StatusStoreOptions {
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly logger: Logger;
  /** A status object disappeared without our doing. Updates are our own and need no answer. */
  readonly onLost: (classKey: string) => void;
}

const RESOURCE = RESOURCES.secretProviderClassSyncs;

export function startStatusStore({ kube, watcher, logger, onLost }: StatusStoreOptions, signal: AbortSignal): StatusStore {
  /** Our own writes that the watch has not shown yet. */
  const written = new Map<string, ClassStatus>();
  const reflector: Reflector<{ readonly key: string; readonly status: ClassStatus | undefined }> = watcher.reflect(
    {
      resource: RESOURCE,
      project: (object) => ({
        key: `${object.metadata.namespace ?? ""}/${object.metadata.name}`,
        status: (object as SecretProviderClassSync).status,
      }), // Our own CRD's schema.
      onChange: (ref, { current }) => {
        const key = keyOf(ref);
        written.delete(key);
        if (current === undefined) onLost(key);
      },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get isUnserved() {
      return reflector.isUnserved;
    },
    get: (ref) => written.get(keyOf(ref)) ?? reflector.get(ref)?.status,
    keys: () => reflector.list().map(({ key }) => key),
    write: async (ref, status, writeSignal) => {
      try {
        const isNew = reflector.get(ref) === undefined;
        if (isNew)
          await kube.apply<SecretProviderClassSync>(RESOURCE, shell(ref), { fieldManager: FIELD_MANAGER, force: true }, writeSignal);
        const body: SecretProviderClassSync = { ...shell(ref), status };
        await kube.apply<SecretProviderClassSync>(
          RESOURCE,
          body,
          { fieldManager: FIELD_MANAGER, force: true, subresource: "status" },
          writeSignal,
        );
        written.set(keyOf(ref), status);
        return true;
      } catch (error) {
        if (!(error instanceof KubeError) || error.code !== "NotFound") throw error;
        logger.debug("the status could not be stored because its kind is away", { class: keyOf(ref) });
        return false;
      }
    },
    remove: async (ref, removeSignal) => {
      written.delete(keyOf(ref));
      await kube.delete(RESOURCE, ref, {}, removeSignal);
    },
  };
}

function shell({ namespace, name }: ObjectRef): SecretProviderClassSync {
  return {
    apiVersion: `${RESOURCE.group}/${RESOURCE.version}`,
    kind: RESOURCE.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

function keyOf({ namespace, name }: ObjectRef): string {
  return `${namespace ?? ""}/${name}`;
}
