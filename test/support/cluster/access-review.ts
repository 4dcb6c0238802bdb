import assert from "node:assert/strict";
import { apiRequest } from "./api-request.ts";
import type { ControlPlane } from "./control-plane.ts";
import { at } from "./shipped-manifests.ts";

/** Object of a right. Without a name, the right applies to the collection and to a POST. */
export interface AccessTarget {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface AccessQuestion extends AccessTarget {
  readonly user: string;
  readonly groups: readonly string[];
  readonly verb: string;
}

/** Whether the API server's authorizers allow the request. Does not consider admission. */
export async function accessReview(plane: ControlPlane, { user, groups, ...resourceAttributes }: AccessQuestion): Promise<boolean> {
  const { status, body } = await apiRequest(plane, {
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    body: { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: { user, groups, resourceAttributes } },
  });
  assert.equal(status, 201);
  return at(body, "status", "allowed") === true;
}
