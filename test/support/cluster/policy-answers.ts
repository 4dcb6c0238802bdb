import assert from "node:assert/strict";
import type { ApiAnswer } from "./api-request.ts";
import { at } from "./shipped-manifests.ts";

export function messageOf({ body }: ApiAnswer): string {
  return String(at(body, "message"));
}

export function assertAllowed(answer: ApiAnswer): void {
  assert.ok(answer.status >= 200 && answer.status < 300, `${answer.status}: ${messageOf(answer)}`);
}

/** Asserts that this policy denied the request, with this text in its message. */
export function assertDenied(answer: ApiAnswer, policy: string, message: RegExp): void {
  assert.match(messageOf(answer), new RegExp(`ValidatingAdmissionPolicy '${policy}'`));
  assert.match(messageOf(answer), message);
}
