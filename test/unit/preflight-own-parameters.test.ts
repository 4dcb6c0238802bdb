import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { aClass } from "../support/fixtures/pods.ts";

const OBJECTS = "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n";
const PARAMETERS = { keyvaultName: "demo", tenantId: "tenant", objects: OBJECTS };

describe("a parameter of the worker's own", () => {
  const withOwn = (parameters: Readonly<Record<string, string>>, changes: Partial<SecretObject> = {}): readonly string[] => {
    const own = { secretName: "s", type: "Opaque", data: [{ objectName: "DemoSecret", key: "k" }], ...changes };
    const spec = { provider: "azure", parameters: { ...PARAMETERS, ...parameters }, secretObjects: [own] };
    const warnings = classWarnings(
      { ...aClass(), metadata: { name: "demo", namespace: "default" }, spec },
      { cloudName: "AzurePublicCloud" },
    );
    return warnings.map(({ reason, message }) => `${reason}: ${message}`);
  };

  for (const [what, parameters, said] of [
    [
      "an expression that cannot be read",
      { secretData: "s:\n  k: propperty(DemoSecret)" },
      'InvalidSecretObject: parameters.secretData[s][k]: at character 1: the function "propperty" does not exist: did you mean property?',
    ],
    [
      "an expression over a file that no object makes",
      { secretData: "s:\n  k: upper(DemoSecrt)" },
      'ObjectNotInClass: secretObjects[0].data[0]: no object produces "DemoSecrt": did you mean "DemoSecret"?',
    ],
    [
      "a key that secretObjects has not",
      { secretData: "s:\n  kk: upper(DemoSecret)" },
      'InvalidClass: spec.parameters.secretData[s][kk]: did you mean k? (the secretObject s has no key "kk")',
    ],
    [
      "a selector that leaves nothing out",
      { objectSelectors: "s: {names: '*'}" },
      "InvalidClass: spec.parameters.objectSelectors[s]: select them by a pattern or a tag, or write everything: true (it would select every object of the vault that the identity can list)",
    ],
    [
      "a slip in its name",
      { secretdata: "s: {}" },
      'UnknownParameter: parameter "secretdata" is unknown and ignored: did you mean secretData?',
    ],
  ] as const) {
    test(`is warned of: ${what}`, () => assert.deepEqual(withOwn(parameters), [said]));
  }

  test("is taken as it is where it is right, and a selected Secret needs no data", () => {
    assert.deepEqual(withOwn({ secretData: "s:\n  k: upper(DemoSecret)" }), []);
    assert.deepEqual(withOwn({ objectSelectors: "s: {names: shop-*}" }, { data: [] }), []);
    assert.notDeepEqual(withOwn({}, { data: [] }), []);
  });
});
