import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { type PreflightWarning, shownWarnings } from "../../src/domain/preflight/warning.ts";
import { aClass } from "../support/fixtures/pods.ts";

const OBJECTS = "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n";
const PARAMETERS = { keyvaultName: "demo", tenantId: "tenant", objects: OBJECTS };

interface Written {
  readonly parameters: Readonly<Record<string, string>>;
  readonly secretObjects?: readonly SecretObject[];
}

function ofClass({ parameters, secretObjects = [] }: Written): readonly PreflightWarning[] {
  const spec = { provider: "azure", parameters: { ...PARAMETERS, ...parameters }, secretObjects };
  return classWarnings({ ...aClass(), spec }, { cloudName: "AzurePublicCloud" });
}

test("N16: says one mistake once, what to do first", () => {
  const missing = (parameters: Readonly<Record<string, string>>) => ofClass({ parameters: { keyvaultName: "", ...parameters } });
  const reported = (found: ReturnType<typeof ofClass>) => found.map(({ reason, message }) => `${reason} ${message}`);

  assert.deepEqual(reported(missing({ keyVaultName: "shop" })), [
    'InvalidClass parameter "keyVaultName" is unknown and ignored: did you mean keyvaultName?',
  ]);
  const [typed, ...more] = reported(ofClass({ parameters: { objects: OBJECTS.replace("objectType: secret", "objectType: secrt") } }));
  assert.match(
    typed ?? "",
    /^InvalidObject spec\.parameters\.objects\[0\]\.objectType: write secret, key or cert, in lower case \(failed to get /,
  );
  assert.deepEqual(more, []);
  const [left] = reported(ofClass({ parameters: { keyvaultName: "<key-vault-name>" } }));
  assert.match(left ?? "", /keyvaultName: write the vault's name in place of <key-vault-name> \(/);
  const [tenant] = reported(ofClass({ parameters: { tenantId: "<tenant-Id>" } }));
  assert.match(tenant ?? "", /tenantID: write the tenant's id in place of <tenant-Id>, /);
  // A parameter that is wrong besides the missing one is another mistake.
  assert.equal(missing({ cloudNme: "x" }).length, 2);
});

test("a class without objects, which no pod can mount, has the reason of what makes a mount fail", () => {
  const secretObjects = [{ secretName: "s", type: "Opaque", data: [] }];
  const empty = { objects: "array: []" };
  const reasons = (written: Written) => ofClass(written).map(({ reason }) => reason);

  assert.deepEqual(reasons({ parameters: empty }), ["InvalidObject"]);
  assert.deepEqual(reasons({ parameters: {} }), []);
  // The worker finds the objects of its Secrets by itself: nothing fails before somebody mounts it.
  assert.deepEqual(reasons({ parameters: { ...empty, objectSelectors: "s: {names: 'a-*'}" }, secretObjects }), ["UnexpectedResult"]);
});

test("shows of a mistake that a mount fails on where it is and what to write, and of the provider's text only what fits", () => {
  const shown = (parameters: Readonly<Record<string, string>>) => shownWarnings(ofClass({ parameters }));

  assert.deepEqual(shown({ objects: OBJECTS.replace("objectType: secret", "objectType: secrt") }), [
    "spec.parameters.objects[0].objectType: write secret, key or cert, in lower case",
  ]);
  assert.deepEqual(shown({ tenantId: "<tenant-Id>" }), [
    "spec.parameters.tenantID: write the tenant's id in place of <tenant-Id>, a GUID such as the portal shows it",
  ]);
  assert.match(shown({ keyvaultName: "" }).join("|"), /^spec\.parameters\.keyvaultName: .* \(keyvaultName is not provided\)$/);
  // What is ours says what is wrong; the remedy alone would not.
  const secretObjects = [{ secretName: "s", type: "Opaque", data: [] }];
  const own = shownWarnings(ofClass({ parameters: { objectSelectors: "s: {names: '*'}" }, secretObjects }));
  assert.match(own.join(" ").replaceAll(" … ", " "), /\(it would select every object of the vault that the identity can list\)$/);
});
