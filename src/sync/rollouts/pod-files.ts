import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { Change, KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { type FilesOfPod, isRecordOf, type PodFiles, podFilesOf, recordName } from "../../domain/rollout/mounted-files.ts";
import type { CrdHealth } from "../healing/crd-health.ts";

/** The driver's records of the versions in the files of pods. */
export interface DriverRecords {
  /** Starts to read the records at the first call. Returns why the worker cannot conclude anything from them; undefined if it can. */
  problem(): string | undefined;
  /**
   * Returns a number for the last change of records in this namespace, or 0 if it has none. A conclusion from the records is valid until
   * this number changes.
   */
  changesIn(namespace: string | undefined): number;
  /**
   * Returns the files of the pods of this namespace, from the records of this namespace alone. A user who can write records in another
   * namespace has no influence on it.
   */
  filesIn(namespace: string | undefined): FilesOfPod;
}

export interface DriverRecordsOptions {
  readonly watcher: KubeWatcher;
  /** State of the CRD of the records, which is the driver's. */
  readonly crdHealth: Pick<CrdHealth, "state">;
  /** Called when a record of the namespace changes. */
  readonly onChange: (namespace: string) => void;
  /** Called when all records have been listed, so that what was unknown is known. */
  readonly onListed: () => void;
}

const { secretProviderClassPodStatuses: RESOURCE } = RESOURCES;

/** Creates the access to the records. Does not even list them until a workload requests restarts because of classes that it only mounts. */
export function createDriverRecords(options: DriverRecordsOptions, signal: AbortSignal): DriverRecords {
  let reflector: Reflector<PodFiles> | undefined;
  let serial = 0;
  const changes = new Map<string, { readonly records: number; readonly last: number }>();
  const onChange = (namespace: string, { previous, current }: Change<PodFiles>): void => {
    const more = (current === undefined ? 0 : 1) - (previous === undefined ? 0 : 1);
    const records = (changes.get(namespace)?.records ?? 0) + more;
    serial += 1;
    // Without records, the namespace is as one that never had any.
    if (records > 0) changes.set(namespace, { records, last: serial });
    else changes.delete(namespace);
    options.onChange(namespace);
  };
  return {
    problem: () => {
      reflector ??= watchRecords({ ...options, onChange }, signal);
      const { state } = options.crdHealth;
      if (reflector.isUnserved) return `the API server does not serve ${RESOURCE.kind}: install the driver, or let the worker heal its CRD`;
      if (state.kind === "frozen") return state.why;
      return reflector.hasSynced ? undefined : `the ${RESOURCE.kind} objects have not been listed yet`;
    },
    changesIn: (namespace = "") => changes.get(namespace)?.last ?? 0,
    filesIn:
      (namespace = "") =>
      (pod, className) => {
        const files = reflector?.get({ namespace, name: recordName(namespace, pod.metadata.name, className) });
        return files !== undefined && isRecordOf(files, pod, className) ? files : undefined;
      },
  };
}

interface RecordsWatch extends Pick<DriverRecordsOptions, "watcher" | "onListed"> {
  readonly onChange: (namespace: string, change: Change<PodFiles>) => void;
}

function watchRecords({ watcher, onChange, onListed }: RecordsWatch, signal: AbortSignal): Reflector<PodFiles> {
  return watcher.reflect<PodFiles>(
    {
      resource: RESOURCE,
      project: (object: KubeObject) => podFilesOf(object),
      onChange: ({ namespace = "" }, change) => onChange(namespace, change),
      observer: { listed: onListed },
    },
    signal,
  );
}
