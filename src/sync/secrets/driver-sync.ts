import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { isOfDriverSync } from "../../domain/sync/take-over.ts";

/**
 * Whether the CSI driver's own sync can write Secrets. The installer of the driver binds the role for this only if that sync is enabled.
 */
export interface DriverSync {
  readonly hasSynced: boolean;
  /** Name of the ClusterRoleBinding that allows this; undefined while there is none. */
  readonly allowedBy: string | undefined;
}

/** Calls `onChange` when a binding that allows the sync appears or disappears. */
export function startDriverSync(watcher: KubeWatcher, onChange: () => void, signal: AbortSignal): DriverSync {
  const reflector: Reflector<string> = watcher.reflect<string>(
    {
      resource: RESOURCES.clusterRoleBindings,
      project: (object) => (isOfDriverSync(object) ? object.metadata.name : undefined),
      onChange: (_ref, { previous, current }) => {
        if (previous !== current) onChange();
      },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get allowedBy() {
      return [...reflector.list()].sort()[0];
    },
  };
}
