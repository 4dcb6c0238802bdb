import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AdmissionDecision, denied, internalError, patched, unchanged } from "../../src/domain/admission/decision.ts";
import { parseJson } from "../../src/domain/admission/parse-json.ts";
import { completeReview } from "../../src/domain/admission/response.ts";
import { decodeReview } from "../../src/domain/admission/review.ts";
import { openRequest } from "../../src/domain/injection/pod-admission.ts";
import { aPod, aReview, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

const settings = { version: "1.2.3", strictAnnotations: true };

describe("a review", () => {
  test("is read whatever else is in it", () => {
    const decoded = decodeReview({ ...aReview({ kind: "Pod" }), invented: { deep: [1] } });

    assert.ok(decoded.ok);
    assert.equal(decoded.value.namespace, "default");
    assert.deepEqual(decoded.value.object, { kind: "Pod" });
  });

  const broken: readonly [string, unknown, string][] = [
    ["that is no object", [], "the body must be a JSON object: an AdmissionReview"],
    ["of another kind", { ...aReview({}), kind: "Pod" }, 'kind must be "AdmissionReview", it is "Pod"'],
    [
      "of another version",
      { ...aReview({}), apiVersion: "admission.k8s.io/v1beta1" },
      'apiVersion must be "admission.k8s.io/v1", it is "admission.k8s.io/v1beta1"',
    ],
    ["without a version", { ...aReview({}), apiVersion: undefined }, 'apiVersion must be "admission.k8s.io/v1", it is missing'],
    ["without a request", { ...aReview({}), request: null }, "request must be an object"],
    ["without a uid", aReview({}, { uid: "" }), "request.uid must be a non-empty string"],
    ["without an operation", aReview({}, { operation: 1 }), "request.operation must be a non-empty string"],
    ["with an endless uid", aReview({}, { uid: "u".repeat(254) }), "request.uid must have at most 253 characters"],
    ["with an endless namespace", aReview({}, { namespace: "n".repeat(254) }), "request.namespace must have at most 253 characters"],
    ["with an endless name", aReview({}, { name: "n".repeat(254) }), "request.name must have at most 253 characters"],
    ["with an endless operation", aReview({}, { operation: "o".repeat(254) }), "request.operation must have at most 253 characters"],
    ["without a resource", aReview({}, { resource: {} }), "request.resource must name a version and a resource"],
  ];
  for (const [which, body, message] of broken) {
    test(`${which} is refused, naming the field`, () => {
      const decoded = decodeReview(body);

      assert.equal(decoded.ok ? undefined : decoded.error.message, message);
    });
  }

  test("that is refused still gives its uid", () => {
    const decoded = decodeReview({ ...aReview({}), kind: "Pod" });

    assert.equal(decoded.ok ? undefined : decoded.error.uid, "0b4f7a3e-6a0c-4a3f-9a52-3a7c3b1d5e10");
  });
});

describe("a request", () => {
  const opened = (review: unknown): AdmissionDecision | "wanted" => {
    const decoded = decodeReview(review);
    assert.ok(decoded.ok);
    const result = openRequest(decoded.value, settings);
    return result.kind === "decided" ? result.decision : "wanted";
  };
  const pod = aPod(OPTED_IN);

  test("for an opted-in pod's creation is wanted", () => {
    assert.equal(opened(aReview(pod)), "wanted");
  });

  const unsupported: readonly [string, Readonly<Record<string, unknown>>][] = [
    ["an update", { operation: "UPDATE" }],
    ["a deletion, which has no object", { operation: "DELETE", object: null }],
    ["a subresource", { subResource: "ephemeralcontainers" }],
    ["another resource", { resource: { group: "apps", version: "v1", resource: "deployments" } }],
  ];
  for (const [which, changes] of unsupported) {
    test(`for ${which} changes nothing`, () => {
      assert.deepEqual(opened(aReview(pod, changes)), { kind: "unchanged", reason: "Unsupported", warnings: [] });
    });
  }

  test("for a mirror pod changes nothing", () => {
    const mirror = { metadata: { annotations: { ...prefixed(OPTED_IN), "kubernetes.io/config.mirror": "hash" } }, spec: {} };

    assert.deepEqual(opened(aReview(mirror)), { kind: "unchanged", reason: "MirrorPod", warnings: [] });
  });

  test("for a pod that does not opt in changes nothing", () => {
    for (const annotations of [{}, { inject: "false", "secret-provider-class": "x" }]) {
      assert.deepEqual(opened(aReview(aPod(annotations))), { kind: "unchanged", reason: "NotOptedIn", warnings: [] });
    }
  });

  test("for a pod that names a class and forgot to opt in says so", () => {
    const decision = opened(aReview(aPod({ "secret-provider-class": "x" })));

    assert.deepEqual(decision === "wanted" ? [] : decision.kind === "unchanged" && decision.warnings, [
      'nothing is injected: keyvault-injector.dev/secret-provider-class needs keyvault-injector.dev/inject: "true"',
    ]);
  });

  const broken: readonly [unknown, string][] = [
    [null, "request.object must be an object"],
    [{ metadata: {} }, "spec must be an object"],
    [{ metadata: { annotations: { a: 1 } }, spec: {} }, 'metadata.annotations must be a map of strings; "a" is 1; quote it: "1"'],
    [{ metadata: { labels: [] }, spec: {} }, "metadata.labels must be a map of strings"],
    [{ metadata: {}, spec: { volumes: {} } }, "spec.volumes must be a list of objects"],
    [{ metadata: {}, spec: { containers: [1] } }, "spec.containers must be a list of objects"],
    [{ metadata: {}, spec: { containers: [{ volumeMounts: "x" }] } }, "spec.containers[0].volumeMounts must be a list of objects"],
  ];
  for (const [object, message] of broken) {
    test(`whose object is no pod is refused: ${message}`, () => {
      const decision = opened(aReview(object));

      assert.ok(decision !== "wanted" && decision.kind === "errored");
      assert.equal(decision.status, 400);
      assert.equal(decision.message, `request.object is not a pod: ${message}`);
    });
  }
});

describe("an answer", () => {
  test("carries patch, warnings and audit annotations", () => {
    const decision = patched([{ op: "add", path: "/metadata/labels", value: { x: "ü\u2028" } }], ["a", "b"], ["careful"]);
    const { response } = completeReview("u", decision);

    assert.deepEqual(
      { ...response, patch: JSON.parse(Buffer.from(response.patch ?? "", "base64").toString("utf8")) },
      {
        uid: "u",
        allowed: true,
        patchType: "JSONPatch",
        patch: [{ op: "add", path: "/metadata/labels", value: { x: "ü\u2028" } }],
        warnings: ["careful"],
        auditAnnotations: { injected: "true", classes: "a,b" },
      },
    );
  });

  test("without a change allows and says why in an audit annotation", () => {
    assert.deepEqual(completeReview("u", unchanged("NotOptedIn")), {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "u", allowed: true, auditAnnotations: { skipped: "NotOptedIn" } },
    });
  });

  test("of a denial has code 422, reason and message", () => {
    const { response } = completeReview("u", denied({ reason: "ClassRequired", message: "write one" }));

    assert.deepEqual(response, {
      uid: "u",
      allowed: false,
      status: { status: "Failure", code: 422, reason: "ClassRequired", message: "write one" },
    });
  });

  test("to our own bug has code 500", () => {
    assert.equal(completeReview("u", internalError()).response.status?.code, 500);
  });

  test("cuts warnings to 120 characters, and counts what is too many", () => {
    const { response } = completeReview("u", unchanged("NotOptedIn", ["x".repeat(121), ...Array.from({ length: 20 }, () => "y")]));

    assert.equal(response.warnings?.[0]?.length, 120);
    assert.equal(response.warnings?.length, 17);
    assert.equal(response.warnings?.at(-1), "5 more warnings are not shown");
  });
});

describe("JSON", () => {
  test("is read like JSON.parse does, dangerous keys included", () => {
    for (const text of [
      '{"__proto__":{"a":1},"constructor":[1,{"b":"\\"}{"}]}',
      '"a:b"',
      "[]",
      ' {"a":{"a":1},"b":[{"a":1},{"a":2}]} ',
      "1",
    ]) {
      const parsed = parseJson(text);
      assert.ok(parsed.ok);
      assert.deepEqual(JSON.stringify(parsed.value), JSON.stringify(JSON.parse(text)));
    }
  });

  const refused: readonly [string, string, RegExp][] = [
    ["truncated", '{"a":', /^the body is not valid JSON: it may be truncated$/],
    ["truncated in a string", '{"a":"b', /^the body is not valid JSON/],
    ["nested absurdly and truncated", "[".repeat(3_000_000), /^the body is not valid JSON/],
    ["empty", "", /not valid JSON/],
  ];
  for (const [which, text, message] of refused) {
    test(`${which} is refused`, () => {
      const parsed = parseJson(text);

      assert.match(parsed.ok ? "" : parsed.error, message);
    });
  }
});
