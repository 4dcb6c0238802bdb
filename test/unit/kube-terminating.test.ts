import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { refusedBy } from "../../src/kube/errors.ts";

describe("the API server's refusal", () => {
  const attempt = { verb: "create", resource: RESOURCES.controllerRevisions, ref: { namespace: "team", name: "a" } } as const;
  const status = (more: object): string => JSON.stringify({ kind: "Status", reason: "Forbidden", message: "forbidden", ...more });

  test("in a namespace that is being deleted is told apart from a missing right", () => {
    const terminating = refusedBy(attempt, { status: 403, body: status({ details: { causes: [{ reason: "NamespaceTerminating" }] } }) });
    const missing = refusedBy(attempt, { status: 403, body: status({}) });

    assert.equal(terminating.code, "Terminating");
    assert.match(terminating.message, /the namespace is being deleted/);
    assert.equal(missing.code, "Forbidden");
    assert.match(missing.message, /grant the ServiceAccount this permission/);
  });
});
