import { type ApiAnswer, apiRequest } from "../../support/cluster/api-request.ts";
import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { at, installShipped, listAt, renderOverlay } from "../../support/cluster/shipped-manifests.ts";
import { aPod, OPTED_IN, prefixed } from "../../support/fixtures/pods.ts";
import { eventually } from "../../support/time/eventually.ts";

export type Json = Readonly<Record<string, unknown>>;

/** An API server on which policies inject, and these objects of others. No process of ours runs. */
export async function startPolicyPlane(...items: readonly object[]): Promise<ControlPlane> {
  const plane = await startControlPlane({ controllerManager: false });
  await plane.kubectl(["create", "serviceaccount", "default"]);
  await installShipped(plane, await renderOverlay("policy"));
  if (items.length > 0) await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const isThere = async (): Promise<boolean> =>
    (await tryPod(plane, aPod(OPTED_IN))).status === 201 && (await tryPod(plane, aPod({ ...OPTED_IN, "mount-path": "x" }))).status === 422;
  await eventually(isThere, { within: 30_000, every: 100, what: "the policies" });
  return plane;
}

let serial = 0;

/** The answer to a dry run of its creation. */
export function tryPod(plane: ControlPlane, pod: Json, namespace = "default"): Promise<ApiAnswer> {
  const spec = { automountServiceAccountToken: false, ...Object(pod["spec"]) };
  const body = { ...pod, metadata: { ...Object(pod["metadata"]), name: `pod-${++serial}` }, spec };
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body });
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
