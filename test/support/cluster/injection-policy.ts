import { aPod, OPTED_IN } from "../fixtures/pods.ts";
import { eventually } from "../time/eventually.ts";
import { type ApiAnswer, apiRequest } from "./api-request.ts";
import type { ControlPlane } from "./control-plane.ts";
import { at } from "./shipped-manifests.ts";

export type Json = Readonly<Record<string, unknown>>;

/** 0 and on, so many. */
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

let serial = 0;

/** The answer to a dry run of its creation. */
export function tryPod(plane: ControlPlane, pod: Json, namespace = "default"): Promise<ApiAnswer> {
  const spec = { automountServiceAccountToken: false, ...Object(pod["spec"]) };
  const body = { ...pod, metadata: { ...Object(pod["metadata"]), name: `pod-${++serial}` }, spec };
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body });
}

/** The API server has taken up the policies that were applied, which takes it seconds: the one that injects and the final check. */
export async function untilPolicyInjects(plane: ControlPlane): Promise<void> {
  // The one writes why, the other refuses the pod with it.
  const isThere = async (): Promise<boolean> =>
    /mount-path is "x"/.test(String(at((await tryPod(plane, aPod({ ...OPTED_IN, "mount-path": "x" }))).body, "message")));
  await eventually(isThere, { within: 30_000, every: 100, what: "the policies" });
}
