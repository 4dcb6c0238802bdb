import assert from "node:assert/strict";
import { test } from "node:test";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import type { PreflightWarning } from "../../src/domain/preflight/warning.ts";
import { aClass } from "../support/fixtures/pods.ts";

const OBJECTS = "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n";
const PARAMETERS = { keyvaultName: "demo", tenantId: "tenant", objects: OBJECTS };

function ofClass({ parameters }: { readonly parameters: Readonly<Record<string, string>> }): readonly PreflightWarning[] {
  const spec = { provider: "azure", parameters: { ...PARAMETERS, ...parameters } };
  return classWarnings({ ...aClass(), spec }, { cloudName: "AzurePublicCloud" });
}

test("N16: says one mistake once, what to do first", () => {
  const missing = (parameters: Readonly<Record<string, string>>) => ofClass({ parameters: { keyvaultName: "", ...parameters } });
  const told = (found: ReturnType<typeof ofClass>) => found.map(({ reason, message }) => `${reason} ${message}`);

  assert.deepEqual(told(missing({ keyVaultName: "shop" })), [
    'InvalidClass parameter "keyVaultName" is unknown and ignored: did you mean keyvaultName?',
  ]);
  const [typed, ...more] = told(ofClass({ parameters: { objects: OBJECTS.replace("objectType: secret", "objectType: secrt") } }));
  assert.match(
    typed ?? "",
    /^InvalidObject spec\.parameters\.objects\[0\]\.objectType: write secret, key or cert, in lower case \(failed to get /,
  );
  assert.deepEqual(more, []);
  const [left] = told(ofClass({ parameters: { keyvaultName: "<key-vault-name>" } }));
  assert.match(left ?? "", /keyvaultName: write the vault's name in place of <key-vault-name> \(/);
  const [tenant] = told(ofClass({ parameters: { tenantId: "<tenant-Id>" } }));
  assert.match(tenant ?? "", /tenantID: write the tenant's id in place of <tenant-Id>, /);
  // A parameter that is wrong besides the missing one is another mistake.
  assert.equal(missing({ cloudNme: "x" }).length, 2);
});
