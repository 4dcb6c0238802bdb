import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";

/** One watch per CRD of ours: RBAC by name allows no wider one. */
export function watchCrd(
  watcher: KubeWatcher,
  { name, onChange }: { readonly name: string; readonly onChange: (live: CustomResourceDefinition | undefined) => void },
  signal: AbortSignal,
): Reflector<CustomResourceDefinition> {
  return watcher.reflect<CustomResourceDefinition>(
    {
      resource: RESOURCES.customResourceDefinitions,
      fieldSelector: `metadata.name=${name}`,
      project: (object) => object as CustomResourceDefinition, // The kind that was asked for.
      onChange: (_ref, { current }) => onChange(current),
    },
    signal,
  );
}
