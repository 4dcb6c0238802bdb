import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { Viewer } from "../cluster.ts";

/** Names that every release of the driver's chart and manifests uses; vendors put a prefix of their own before them. */
const ROLE = "secretprovidersyncing-role";
const BINDING = "secretprovidersyncing-rolebinding";

interface ClusterRoleBinding extends KubeObject {
  readonly roleRef?: { readonly name?: string };
  readonly subjects?: readonly unknown[] | null;
}

/** What lets the CSI driver's own sync write Secrets; undefined where nothing does, or it may not be seen. */
export async function driverSyncBinding(viewer: Viewer): Promise<string | undefined> {
  const look = await viewer.all<ClusterRoleBinding>(RESOURCES.clusterRoleBindings);
  const bindings = look.kind === "seen" ? look.value : [];
  const found = bindings.find(
    ({ metadata, roleRef, subjects }) =>
      (subjects ?? []).length > 0 && (metadata.name.endsWith(BINDING) || (roleRef?.name ?? "").endsWith(ROLE)),
  );
  return found === undefined ? undefined : `ClusterRoleBinding ${found.metadata.name}`;
}
