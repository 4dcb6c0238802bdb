import { builtProgram } from "./binaries.ts";
import type { RealNode } from "./node.ts";
import { driverImage } from "./node-images.ts";

/** Role and binding with the names of the driver's chart. */
export function bound(name: string, rule: { resource: string; verbs: readonly string[] }): readonly object[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const rules = [{ apiGroups: [""], resources: [rule.resource], verbs: rule.verbs }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: `${name}-role` };
  const subjects = [{ kind: "ServiceAccount", name: "secrets-store-csi-driver", namespace: "kube-system" }];
  return [
    { apiVersion, kind: "ClusterRole", metadata: { name: `${name}-role` }, rules },
    { apiVersion, kind: "ClusterRoleBinding", metadata: { name: `${name}-rolebinding` }, roleRef, subjects },
  ];
}

/** Rights for rotation and tokens that the driver needs up to 1.5, but not from 1.6 on. They do not allow it to write Secrets. */
const OLDER_ROLES = [
  ...bound("secretproviderrotation", { resource: "secrets", verbs: ["get", "list", "watch"] }),
  ...bound("secretprovidertokenrequest", { resource: "serviceaccounts/token", verbs: ["create"] }),
];

export const OLDER_IMAGE = "registry.k8s.io/csi-secrets-store/driver:v1.5.6";

/** Adds the older driver's image and rights. `useDriver` then replaces the current driver. */
export async function allowOlderDriver(node: RealNode): Promise<void> {
  await node.addImage(driverImage(OLDER_IMAGE, await builtProgram("secrets-store-csi-1.5")));
  await node.kubectl(["apply", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: OLDER_ROLES }));
}

export async function forbidOlderDriver(node: RealNode): Promise<void> {
  await node.kubectl(["delete", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: OLDER_ROLES }));
}

export async function useDriver(node: RealNode, image: string): Promise<void> {
  await node.kubectl(["set", "image", "daemonset/csi-secrets-store", `secrets-store=${image}`, "--namespace=kube-system"]);
  await node.kubectl(["rollout", "status", "daemonset/csi-secrets-store", "--namespace=kube-system", "--timeout=90s"]);
}
