import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PeerObject } from "../../src/domain/convert/peer-object.ts";
import { admissionProblem } from "../../src/domain/convert/store-conditions.ts";
import type { JsonObject } from "../../src/domain/json-object.ts";

const NAME = "kubernetes.io/metadata.name";

const store = (conditions: unknown, kind = "ClusterSecretStore"): PeerObject => ({
  object: { kind, spec: { conditions } },
  kind,
  name: "prod",
  namespace: undefined,
});

const namespaceWith = (labels: JsonObject): PeerObject => ({
  object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "tenant", labels } },
  kind: "Namespace",
  name: "tenant",
  namespace: undefined,
});

/** Checks the conditions for an ExternalSecret in the namespace `tenant`. */
const problemOf = (conditions: unknown, labels?: JsonObject) =>
  admissionProblem({
    store: store(conditions),
    namespace: "tenant",
    namespaceOf: (name) => (name === "tenant" && labels !== undefined ? namespaceWith(labels) : undefined),
  });

const select = (...matchExpressions: readonly JsonObject[]) => [{ namespaceSelector: { matchExpressions } }];

const NOT_ADMITTED =
  "its spec.conditions do not admit namespace tenant, so the operator rejects the ExternalSecret; name another store, or add the namespace to the conditions";
const UNKNOWN_LABELS =
  "spec.conditions[0].namespaceSelector depends on labels of Namespace tenant, which is not in these files; add its file";
const NO_SELECTOR = "spec.conditions[0].namespaceSelector is not a label selector; correct it";

describe("conditions of a ClusterSecretStore", () => {
  for (const [name, conditions, labels] of [
    ["none", undefined, undefined],
    ["an empty list", [], undefined],
    ["its name", [{ namespaces: ["payments", "tenant"] }], undefined],
    ["its name in a later condition", [{ namespaces: ["payments"] }, { namespaces: ["tenant"] }], undefined],
    [
      "its name beside a selector that nobody can judge",
      [{ namespaceSelector: { matchLabels: { team: "a" } }, namespaces: ["tenant"] }],
      undefined,
    ],
    ["an expression that is found inside its name", [{ namespaceRegexes: ["^pay", "nan"] }], undefined],
    ["an expression with a class of RE2", [{ namespaceRegexes: ["^[[:alpha:]]+$"] }], undefined],
    ["a selector that selects everything", [{ namespaceSelector: {} }], undefined],
    ["a selector by its name", [{ namespaceSelector: { matchLabels: { [NAME]: "tenant" } } }], undefined],
    ["a selector by a label of its Namespace", [{ namespaceSelector: { matchLabels: { team: "a" } } }], { team: "a" }],
    ["an expression over a label of its Namespace", select({ key: "team", operator: "NotIn", values: ["b"] }), {}],
  ] as const) {
    test(`admit a namespace by ${name}`, () => {
      assert.equal(problemOf(conditions, labels), undefined);
    });
  }

  for (const [name, conditions, labels, problem] of [
    ["another name", [{ namespaces: ["payments"] }], undefined, NOT_ADMITTED],
    ["a condition that says nothing", [{}], undefined, NOT_ADMITTED],
    ["an expression for other names", [{ namespaceRegexes: ["^tenants", "TENANT"] }], undefined, NOT_ADMITTED],
    ["an expression that takes JavaScript exponential time", [{ namespaceRegexes: ["^(?:(?:[a-z]+)+)+!$"] }], undefined, NOT_ADMITTED],
    ["a selector by another name", [{ namespaceSelector: { matchLabels: { [NAME]: "payments" } } }], undefined, NOT_ADMITTED],
    ["a label that its Namespace has not", [{ namespaceSelector: { matchLabels: { team: "a" } } }], { team: "b" }, NOT_ADMITTED],
    ["a label of a Namespace that is not there", [{ namespaceSelector: { matchLabels: { team: "a" } } }], undefined, UNKNOWN_LABELS],
    ["an expression over such a label", select({ key: "team", operator: "DoesNotExist" }), undefined, UNKNOWN_LABELS],
    ["a selector that is a text", [{ namespaceSelector: "team=a" }], {}, NO_SELECTOR],
    ["labels that are a list", [{ namespaceSelector: { matchLabels: ["team"] } }], {}, NO_SELECTOR],
    ["an expression without values", select({ key: "team", operator: "NotIn", values: [] }), {}, NO_SELECTOR],
    ["an operator that is none", select({ key: "team", operator: "Near", values: ["a"] }), {}, NO_SELECTOR],
    [
      "an expression that Go does not take",
      [{ namespaceRegexes: ["^(?!payments)"], namespaces: ["payments"] }],
      undefined,
      'spec.conditions[0].namespaceRegexes[0] "^(?!payments)" is not a Go regular expression; correct it',
    ],
    ["conditions that are no list", { namespaces: ["tenant"] }, undefined, "spec.conditions is not a list; correct it"],
  ] as const) {
    test(`are a problem by ${name}`, () => {
      assert.equal(problemOf(conditions, labels), problem);
    });
  }

  test("are a problem where nobody knows the namespace", () => {
    assert.equal(
      admissionProblem({ store: store([{ namespaces: ["tenant"] }]), namespace: undefined, namespaceOf: () => undefined }),
      "its spec.conditions admit only some namespaces, but the ExternalSecret names none; write its namespace, or use --namespace",
    );
  });

  test("mean nothing in a SecretStore", () => {
    const own = store([{ namespaces: ["payments"] }], "SecretStore");
    assert.equal(admissionProblem({ store: own, namespace: "tenant", namespaceOf: () => undefined }), undefined);
  });
});
