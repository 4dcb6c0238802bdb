import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { type Json, untilPolicyInjects } from "../../support/cluster/injection-policy.ts";
import { at, installShipped, listAt, renderOverlay } from "../../support/cluster/shipped-manifests.ts";
import { prefixed } from "../../support/fixtures/pods.ts";

/** An API server on which policies inject, and these objects of others. No process of ours runs. */
export async function startPolicyPlane(...items: readonly object[]): Promise<ControlPlane> {
  const plane = await startControlPlane({ controllerManager: false });
  await plane.kubectl(["create", "serviceaccount", "default"]);
  await installShipped(plane, await renderOverlay("policy"));
  if (items.length > 0) await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await untilPolicyInjects(plane);
  return plane;
}

/** A pod to be created anew, with annotations that were changed. */
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
