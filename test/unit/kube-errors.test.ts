import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeError } from "../../src/domain/ports/kube-error.ts";
import { type Attempt, refusedBy } from "../../src/kube/errors.ts";

const SECRET: Attempt = { verb: "create", resource: RESOURCES.secrets, ref: { namespace: "shop", name: "db" } };
const CLASS: Attempt = { verb: "apply", resource: RESOURCES.secretProviderClasses, ref: { namespace: "shop", name: "db" } };

function status(fields: object): string {
  return JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", ...fields });
}

describe("a refusal of the API server", () => {
  test("about a Secret names fields and never repeats what was refused", () => {
    const body = status({
      reason: "Invalid",
      message: 'Secret "db" is invalid: data[pass word]: Invalid value: "hunter2"',
      details: { causes: [{ reason: "FieldValueInvalid", message: 'Invalid value: "hunter2"', field: "data[pass word]" }] },
    });

    const error = refusedBy(SECRET, { status: 422, body });

    assert.equal(error.message, "create secrets shop/db: HTTP 422: Invalid, fields data[pass word]");
    assert.equal(error.code, "Invalid");
    assert.deepEqual(error.retry, { kind: "never" });
    assert.ok(!JSON.stringify([error, error.message, error.stack, error.cause]).includes("hunter2"));
    // The control: the same body about another kind does come through.
    assert.match(refusedBy(CLASS, { status: 422, body }).message, /hunter2/);
  });

  test("about a Secret keeps who may not do what, and which policy refused", () => {
    const who = 'User "system:serviceaccount:ns:sa" cannot create resource "secrets" in API group "" in the namespace "shop"';
    const forbidden = refusedBy(SECRET, { status: 403, body: status({ reason: "Forbidden", message: `secrets is forbidden: ${who}` }) });
    assert.ok(forbidden.message.includes(who), forbidden.message);

    const policy = "ValidatingAdmissionPolicy 'secret-writes' with binding 'b' denied request";
    const denied = refusedBy(SECRET, {
      status: 403,
      body: status({ reason: "Forbidden", message: `forbidden: ${policy}: because of hunter2` }),
    });
    assert.ok(denied.message.includes(policy), denied.message);
    assert.ok(!denied.message.includes("hunter2"));
  });

  const refusers: readonly (readonly [string, string, KubeError["refuser"]])[] = [
    ["an authorizer", 'secrets is forbidden: User "sa" cannot create resource "secrets" in API group ""', { kind: "rights" }],
    [
      "a policy",
      `secrets "db" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`,
      { kind: "policy", name: "p", sentence: "no" },
    ],
    [
      "a webhook",
      `admission webhook "w" denied the request: is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b'`,
      { kind: "webhook" },
    ],
    ["itself", `secrets "db" is forbidden: exceeded quota of ValidatingAdmissionPolicy 'p' with binding 'b'`, undefined],
  ];
  for (const [who, message, refuser] of refusers) {
    test(`says of ${who} that it refused, and nothing by what is quoted`, () => {
      for (const attempt of [SECRET, CLASS]) {
        const error = refusedBy(attempt, { status: 403, body: status({ reason: "Forbidden", message }) });
        // What a policy says about a Secret may quote its values.
        const reported = attempt === SECRET && refuser?.kind === "policy" ? { kind: "policy", name: refuser.name } : refuser;
        assert.deepEqual([error.refuser, error.isByPolicy("p")], [reported, refuser?.kind === "policy"]);
      }
    });
  }

  test("is one line of bounded length", () => {
    const error = refusedBy(CLASS, { status: 400, body: status({ reason: "BadRequest", message: `a\nb\u2028${"x".repeat(5_000)}` }) });
    assert.ok(error.message.length < 450, String(error.message.length));
    assert.doesNotMatch(error.message, /[\n\u2028]/);
  });

  test("carries no body that is not a Status", () => {
    assert.equal(
      refusedBy(CLASS, { status: 502, body: "<html>hunter2</html>" }).message,
      "apply secretproviderclasses.secrets-store.csi.x-k8s.io shop/db: HTTP 502",
    );
  });

  const cases: readonly [string, Parameters<typeof refusedBy>[1], string, object][] = [
    ["a taken name", { status: 409, body: status({ reason: "AlreadyExists" }) }, "AlreadyExists", { kind: "never" }],
    ["a conflict", { status: 409, body: status({ reason: "Conflict" }) }, "Conflict", { kind: "backoff" }],
    ["a throttle with a time", { status: 429, retryAfter: "7", body: "" }, "Throttled", { kind: "after", milliseconds: 7_000 }],
    ["a throttle without one", { status: 429, body: "" }, "Throttled", { kind: "backoff" }],
    ["a throttle with a date", { status: 429, retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT", body: "" }, "Throttled", { kind: "backoff" }],
    ["a throttle of a year", { status: 429, retryAfter: "31536000", body: "" }, "Throttled", { kind: "after", milliseconds: 300_000 }],
    ["an overload", { status: 503, retryAfter: "2", body: "" }, "Unavailable", { kind: "after", milliseconds: 2_000 }],
    ["a failing server", { status: 500, body: status({ reason: "InternalError" }) }, "Unavailable", { kind: "backoff" }],
    ["etcd's limit", { status: 500, body: status({ message: "etcdserver: request is too large" }) }, "TooLarge", { kind: "never" }],
    ["a body over the limit", { status: 413, body: "" }, "TooLarge", { kind: "never" }],
    ["a refused token", { status: 401, body: status({ reason: "Unauthorized" }) }, "Unauthorized", { kind: "backoff" }],
    ["forgotten history", { status: 410, body: status({ reason: "Expired" }) }, "Gone", { kind: "backoff" }],
    ["a redirect", { status: 302, body: "" }, "Unavailable", { kind: "backoff" }],
  ];
  for (const [what, answer, code, retry] of cases) {
    test(`is translated: ${what} is ${code}`, () => {
      const error = refusedBy(SECRET, answer);
      assert.equal(error.code, code);
      assert.deepEqual(error.retry, retry);
      assert.equal(error.status, answer.status);
    });
  }
});
