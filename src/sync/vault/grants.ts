import { grantsOf, type NamespaceGrants, NO_GRANTS } from "../../domain/grants/namespace-grants.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";

/** What Namespaces lend to the worker, as they are now. */
export interface Grants {
  readonly hasSynced: boolean;
  of(namespace: string): NamespaceGrants;
}

/** `onChange` is called with the Namespace whose grants are others than before. */
export function startGrants(watcher: KubeWatcher, onChange: (namespace: string) => void, signal: AbortSignal): Grants {
  const reflector: Reflector<NamespaceGrants> = watcher.reflect<NamespaceGrants>(
    {
      resource: RESOURCES.namespaces,
      project: grantsOf,
      onChange: ({ name }, { previous, current }) => {
        if (JSON.stringify(previous ?? NO_GRANTS) !== JSON.stringify(current ?? NO_GRANTS)) onChange(name);
      },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    of: (namespace) => reflector.get({ name: namespace }) ?? NO_GRANTS,
  };
}
