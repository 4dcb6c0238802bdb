import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";

/**
 * Field managers of the tools that install from manifests, with their operations. Their writes define the desired state, and a write by any
 * other manager over it is an edit. `kubectl create` and `kubectl replace` are edits, because they do not track the fields that they
 * manage.
 */
const INSTALLERS: readonly (readonly [manager: string, operation: "Apply" | "Update"])[] = [
  // Server-side and client-side `kubectl apply`.
  ["kubectl", "Apply"],
  ["kubectl-client-side-apply", "Update"],
  // Helm 4 and 3.
  ["helm", "Apply"],
  ["helm", "Update"],
  ["Helm", "Update"],
  // Flux: its own installation, Kustomizations, HelmReleases.
  ["flux", "Apply"],
  ["kustomize-controller", "Apply"],
  ["helm-controller", "Apply"],
  ["helm-controller", "Update"],
  // Argo CD: server-side, client-side, and with its older name.
  ["argocd-controller", "Apply"],
  ["argocd-controller", "Update"],
  ["argocd-application-controller", "Update"],
  ["argocd-application-controller", "Apply"],
];

export function isInstaller({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  return subresource === undefined && INSTALLERS.some(([name, how]) => name === manager && how === operation);
}

/** Returns the entries of installers in the object's `managedFields`. */
export function installerEntries({ metadata }: KubeObject): readonly ManagedFieldsEntry[] {
  return (metadata.managedFields ?? []).filter(isInstaller);
}

export function isSameOwner(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
}

/**
 * Whether an installer has written since. The API server updates the time of an entry with every write of its manager that changes
 * something. A write by another manager removes fields from the entry but does not update its time.
 */
export function haveWritten(now: readonly ManagedFieldsEntry[], before: readonly ManagedFieldsEntry[]): boolean {
  return now.some((entry) => !before.some((known) => isSameOwner(known, entry) && known.time === entry.time));
}
