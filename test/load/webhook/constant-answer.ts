/** Returns the answer of the two baselines to every request: the cheapest webhook that still patches. */
export function constantAnswer(uid: string): object {
  const patch = Buffer.from('[{"op":"add","path":"/metadata/labels/patched","value":"true"}]').toString("base64");
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, allowed: true, patchType: "JSONPatch", patch } };
}

/** Part of a review that the baselines read. */
export interface Review {
  readonly request: { readonly uid: string };
}
