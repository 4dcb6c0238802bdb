import { type Look, listed, type Viewer } from "../cluster.ts";
import { MORE_RESOURCES } from "../resources.ts";
import type { Binding, Rbac, Role } from "./rbac.ts";

/** RBAC as one namespace, or the whole cluster, sees it. `unseen` where any part may not be read: half of it would be a false answer. */
export async function readRbac(viewer: Viewer, namespace?: string): Promise<Look<Rbac>> {
  const within = namespace === undefined ? {} : { namespace };
  const [roles, roleBindings, clusterRoles, clusterRoleBindings] = await Promise.all([
    viewer.all<Role>(MORE_RESOURCES.roles, within),
    viewer.all<Binding>(MORE_RESOURCES.roleBindings, within),
    viewer.all<Role>(MORE_RESOURCES.clusterRoles),
    viewer.all<Binding>(MORE_RESOURCES.clusterRoleBindings),
  ]);
  for (const look of [roles, roleBindings, clusterRoles, clusterRoleBindings]) if (look.kind === "unseen") return look;
  return {
    kind: "seen",
    value: {
      roles: listed(roles),
      roleBindings: listed(roleBindings),
      clusterRoles: listed(clusterRoles),
      clusterRoleBindings: listed(clusterRoleBindings),
    },
  };
}
