import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { type FilesOfPod, isRecordOf, type PodFiles, podFilesOf, recordName } from "../../domain/rollout/mounted-files.ts";
import type { CrdHealth } from "../healing/crd-health.ts";

/** What the driver says that the files of pods have. */
export interface DriverRecords {
  /** Begins to read the records, if nobody has asked before. Why nothing may be concluded from them; undefined where something may. */
  problem(): string | undefined;
  /** How often records of this namespace have changed: what was concluded from them counts until they do. */
  changesIn(namespace: string | undefined): number;
  /** By the records of this namespace alone: who may write those of another one says nothing of its pods. */
  filesIn(namespace: string | undefined): FilesOfPod;
}

export interface DriverRecordsOptions {
  readonly watcher: KubeWatcher;
  /** Of the records' CRD, which is the driver's. */
  readonly crdHealth: Pick<CrdHealth, "state">;
  /** Something of the namespace changed. */
  readonly onChange: (namespace: string) => void;
  /** All records were listed: what was not known is. */
  readonly onListed: () => void;
}

const { secretProviderClassPodStatuses: RESOURCE } = RESOURCES;

/** Where no workload asks for restarts on account of what it only mounts, the records are not even listed. */
export function createDriverRecords(options: DriverRecordsOptions, signal: AbortSignal): DriverRecords {
  let reflector: Reflector<PodFiles> | undefined;
  const changes = new Map<string, number>();
  const onChange = (namespace: string): void => {
    changes.set(namespace, (changes.get(namespace) ?? 0) + 1);
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
    changesIn: (namespace = "") => changes.get(namespace) ?? 0,
    filesIn:
      (namespace = "") =>
      (pod, className) => {
        const files = reflector?.get({ namespace, name: recordName(namespace, pod.metadata.name, className) });
        return files !== undefined && isRecordOf(files, pod, className) ? files : undefined;
      },
  };
}

function watchRecords({ watcher, onChange, onListed }: DriverRecordsOptions, signal: AbortSignal): Reflector<PodFiles> {
  return watcher.reflect<PodFiles>(
    {
      resource: RESOURCE,
      project: (object: KubeObject) => podFilesOf(object),
      onChange: ({ namespace = "" }) => onChange(namespace),
      observer: { listed: onListed },
    },
    signal,
  );
}
