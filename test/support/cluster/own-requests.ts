import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { eventually } from "../time/eventually.ts";
import { apiRequest } from "./api-request.ts";
import { type AuditEntry, forbidden } from "./audit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { serviceAccountToken } from "./service-account-token.ts";

/** Requests of our processes, which use the ServiceAccounts in the install's namespace. */
function ownRequests(plane: ControlPlane): readonly AuditEntry[] {
  return plane.audit().filter(({ user }) => user.startsWith("system:serviceaccount:keyvault-injector:"));
}

/** Asserts that none of our requests so far got status 403. As a control, sends one that does, and finds it in the log. */
export async function assertNothingForbidden(plane: ControlPlane, context: TestContext): Promise<void> {
  const checked = ownRequests(plane);
  assert.ok(checked.length > 0);
  assert.deepEqual(forbidden(checked), []);

  const token = await serviceAccountToken(plane, "keyvault-injector", "keyvault-injector-webhook");
  assert.equal((await apiRequest(plane, { method: "GET", path: "/api/v1/secrets", token })).status, 403);
  await eventually(() => forbidden(ownRequests(plane)).length === 1, { what: "the refused request in the audit log" });
  context.diagnostic(`${checked.length} requests checked, 0 answered 403; one made on purpose was found`);
}
