import { aPod, OPTED_IN } from "../fixtures/pods.ts";
import { eventually } from "../time/eventually.ts";
import { type ApiAnswer, apiRequest } from "./api-request.ts";
import type { ControlPlane } from "./control-plane.ts";
import { at } from "./shipped-manifests.ts";

export type Json = Readonly<Record<string, unknown>>;

/** The numbers from 0 to `count` - 1. */
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

let serial = 0;

/** Creates the pod as a dry run, and returns the answer. */
export function tryPod(plane: ControlPlane, pod: Json, namespace = "default"): Promise<ApiAnswer> {
  const spec = { automountServiceAccountToken: false, ...Object(pod["spec"]) };
  const body = { ...pod, metadata: { ...Object(pod["metadata"]), name: `pod-${++serial}` }, spec };
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body });
}

/** Waits until the API server enforces the applied policies, the injecting one and the final check, which takes seconds. */
export async function untilPolicyInjects(plane: ControlPlane): Promise<void> {
  // The injecting policy writes the reason, with which the final check denies the pod.
  const isThere = async (): Promise<boolean> =>
    /mount-path is "x"/.test(String(at((await tryPod(plane, aPod({ ...OPTED_IN, "mount-path": "x" }))).body, "message")));
  await eventually(isThere, { within: 30_000, every: 100, what: "the policies" });
}
