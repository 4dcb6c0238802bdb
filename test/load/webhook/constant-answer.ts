/** What the two baselines answer whatever they are asked: the cheapest webhook that still patches. */
export function constantAnswer(uid: string): object {
  const patch = Buffer.from('[{"op":"add","path":"/metadata/labels/patched","value":"true"}]').toString("base64");
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, allowed: true, patchType: "JSONPatch", patch } };
}

/** The part of a review that they read. */
export interface Review {
  readonly request: { readonly uid: string };
}
