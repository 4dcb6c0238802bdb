import type { ControlPlane } from "./control-plane.ts";

let serial = 0;

/**
 * Creates a namespace for one test, with the default ServiceAccount, without which the API server admits no pod, and which a controller
 * creates in a real cluster.
 */
export async function aNamespace(plane: ControlPlane, name = `test-${(serial += 1)}`): Promise<string> {
  await plane.kubectl(["create", "namespace", name]);
  await plane.kubectl(["create", "serviceaccount", "default", "-n", name]);
  return name;
}
