import type { ControlPlane } from "./control-plane.ts";

/**
 * Creates an account with these comma-separated verbs on the classes of its namespace and no other right, and returns its kubeconfig. An
 * empty text means no verbs.
 */
export async function classReader(plane: ControlPlane, namespace: string, verbs: string): Promise<string> {
  await plane.kubectl(["create", "serviceaccount", "reader", "-n", namespace]);
  if (verbs !== "") {
    const resource = "--resource=secretproviderclasses.secrets-store.csi.x-k8s.io";
    await plane.kubectl(["create", "role", "reader", "-n", namespace, `--verb=${verbs}`, resource]);
    await plane.kubectl(["create", "rolebinding", "reader", "-n", namespace, "--role=reader", `--serviceaccount=${namespace}:reader`]);
  }
  return plane.kubeconfigFor({ namespace, name: "reader" });
}
