import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { type Json, untilPolicyInjects } from "../../support/cluster/injection-policy.ts";
import { at, installShipped, listAt, renderOverlay } from "../../support/cluster/shipped-manifests.ts";
import { prefixed } from "../../support/fixtures/pods.ts";

/** Starts an API server with the injecting policy and these objects. None of our processes runs. */
export async function startPolicyPlane(...items: readonly object[]): Promise<ControlPlane> {
  const plane = await startControlPlane({ controllerManager: false });
  await plane.kubectl(["create", "serviceaccount", "default"]);
  await installShipped(plane, await renderOverlay("policy"));
  if (items.length > 0) await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await untilPolicyInjects(plane);
  return plane;
}

/** Copy of a stored pod that a test can create, with these annotations changed. */
export const copyOf = (stored: unknown, annotations: Readonly<Record<string, string>> = {}): Json => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    labels: at(stored, "metadata", "labels"),
    annotations: { ...Object(at(stored, "metadata", "annotations")), ...prefixed(annotations) },
  },
  spec: at(stored, "spec"),
});

export const mountsOf = (container: unknown): readonly unknown[] =>
  listAt(container, "volumeMounts").map((mount) => at(mount, "mountPath"));
