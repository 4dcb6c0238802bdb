import type { ControlPlane } from "./control-plane.ts";

/** As whoever runs in a pod of the ServiceAccount asks. */
export async function serviceAccountToken(plane: Pick<ControlPlane, "kubectl">, namespace: string, account: string): Promise<string> {
  return (await plane.kubectl(["create", "token", account, "-n", namespace])).trim();
}
