import type { KubeObject } from "../kubernetes.ts";

/** Names that every release of the driver's chart and manifests uses; vendors put a prefix of their own before them. */
const ROLE = "secretprovidersyncing-role";
const BINDING = "secretprovidersyncing-rolebinding";

interface ClusterRoleBinding extends KubeObject {
  readonly roleRef?: { readonly name?: string };
  readonly subjects?: readonly unknown[] | null;
}

/** Whether a ClusterRoleBinding gives the CSI driver's own sync the right to write Secrets. */
export function isOfDriverSync(object: KubeObject): boolean {
  const { metadata, roleRef, subjects }: ClusterRoleBinding = object;
  return (subjects ?? []).length > 0 && (metadata.name.endsWith(BINDING) || (roleRef?.name ?? "").endsWith(ROLE));
}
