/** Label by which Argo CD finds the objects of an Application: by default up to version 2.14, and optionally since version 3.0. */
const INSTANCE_LABEL = "app.kubernetes.io/instance";

const LEFT_ALONE = {
  "argocd.argoproj.io/sync-options": "Prune=false",
  "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
} as const;

/**
 * Returns the annotations with which Argo CD leaves an object with these labels alone. Charts put the label on everything, but Argo CD
 * counts a live object with the label and without owners as part of the Application (gitops-engine, `GetManagedLiveObjs` in
 * pkg/cache/cluster.go), and prunes it because it is not in Git. The CSI driver's Secrets have owners; the worker's have none. A class
 * cannot set these annotations itself.
 *
 * Argo CD reads both from the live object: `Prune=false` in `pruneObject` of gitops-engine's pkg/sync/sync_context.go, and
 * `IgnoreExtraneous`, without which the Application would be out of sync, in `CompareAppState` of Argo CD's controller/state.go.
 */
export function argoAnnotations(labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.hasOwn(labels, INSTANCE_LABEL) ? LEFT_ALONE : {};
}
