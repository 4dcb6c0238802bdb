import type { ControlPlane } from "./control-plane.ts";

let serial = 0;

/** A namespace of a test's own, with the ServiceAccount that a controller makes elsewhere and without which no pod is admitted. */
export async function aNamespace(plane: ControlPlane, name = `test-${(serial += 1)}`): Promise<string> {
  await plane.kubectl(["create", "namespace", name]);
  await plane.kubectl(["create", "serviceaccount", "default", "-n", name]);
  return name;
}
