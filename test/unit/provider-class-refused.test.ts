import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeProblem } from "../../src/domain/provider-class/problem.ts";
import { aSpec, objectsOf, refuse } from "../support/fixtures/provider-class-spec.ts";

/** The upstream checks, in their order. */
const REFUSED: readonly (readonly [changes: Readonly<Record<string, string | undefined>>, field: string, message: string])[] = [
  [
    { usePodIdentity: "tru" },
    "usePodIdentity",
    'failed to parse usePodIdentity flag, error: strconv.ParseBool: parsing "tru": invalid syntax',
  ],
  [
    { useVMManagedIdentity: "yes" },
    "useVMManagedIdentity",
    'failed to parse useVMManagedIdentity flag, error: strconv.ParseBool: parsing "yes": invalid syntax',
  ],
  [
    { useAzureTokenProxy: "on" },
    "useAzureTokenProxy",
    'failed to parse useAzureTokenProxy flag, error: strconv.ParseBool: parsing "on": invalid syntax',
  ],
  [
    { usePodIdentity: "T", useVMManagedIdentity: "1" },
    "",
    "only one identity mode can be enabled at a time: usePodIdentity, useVMManagedIdentity, or useAzureTokenProxy",
  ],
  [{ keyvaultName: " " }, "keyvaultName", "keyvaultName is not provided"],
  [{ keyvaultName: undefined, tenantId: undefined }, "keyvaultName", "keyvaultName is not provided"],
  [{ tenantId: undefined }, "tenantID", "tenantId is not provided"],
  [
    { cloudName: "azureMoon" },
    "cloudName",
    'cloudName azureMoon is not valid, error: autorest/azure: There is no cloud environment matching the name "AZUREMOON"',
  ],
  [{ objects: " \n" }, "objects", "objects is not set"],
  [{ objects: undefined }, "objects", "objects is not set"],
  [
    { objects: "- |\n  objectName: a" },
    "objects",
    "failed to yaml unmarshal objects, error: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into types.StringArray",
  ],
  [
    { objects: "array:\n  - objectName: a\n    objectType: secret" },
    "objects",
    "failed to yaml unmarshal objects, error: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!map into string",
  ],
  [
    { objects: objectsOf("objectName: a\nobjectName: b") },
    "objects[0]",
    'unmarshal failed for keyVaultObjects at index 0, error: yaml: unmarshal errors:\n  line 2: mapping key "objectName" already defined at line 1',
  ],
  [
    { objects: objectsOf("objectName: a\nobjectType: secret", "objectName: b\nobjectVersionHistory: '5'") },
    "objects[1]",
    "unmarshal failed for keyVaultObjects at index 1, error: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `5` into int32",
  ],
  [{ keyvaultName: "kv" }, "keyvaultName", 'failed to get vault: Invalid vault name: "kv", must be between 3 and 24 chars'],
  [
    { keyvaultName: "k".repeat(25) },
    "keyvaultName",
    `failed to get vault: Invalid vault name: "${"k".repeat(25)}", must be between 3 and 24 chars`,
  ],
  [
    { keyvaultName: "<vault_name>" },
    "keyvaultName",
    'failed to get vault: Invalid vault name: "<vault_name>", must match [-a-zA-Z0-9]{3,24}',
  ],
  [
    { tenantId: "<tenant-Id>" },
    "tenantID",
    "failed to get keyvault client: invalid tenantID. You can locate your tenantID by following the instructions listed here: https://learn.microsoft.com/partner-center/find-ids-and-domain-names",
  ],
];

/** Entries of `objects`, and the upstream message after `failed to get …: `. */
const REFUSED_OBJECTS: readonly (readonly [lines: string, key: string, message: string])[] = [
  ["objectName: a\nobjectType: secret\nobjectFormat: der", "objectFormat", "invalid objectFormat: der, should be PEM or PFX"],
  ["objectName: a\nobjectType: cert\nobjectFormat: pfx", "objectFormat", "PFX format only supported for objectType: secret"],
  ["objectName: a\nobjectType: key\nobjectEncoding: rot13", "objectEncoding", "objectEncoding only supported for objectType: secret"],
  [
    "objectName: a\nobjectType: secret\nobjectEncoding: rot13",
    "objectEncoding",
    "invalid objectEncoding: rot13, should be hex, base64 or utf-8",
  ],
  ["objectType: secret", "objectName", "file name must not be empty"],
  ["", "objectName", "file name must not be empty"],
  ["objectName: a\nobjectType: secret\nobjectAlias: /etc/x", "objectAlias", "file name must be a relative path"],
  ["objectName: a\nobjectType: secret\nobjectAlias: a/../x", "objectAlias", "file name must not contain '..'"],
  ["objectName: a..b\nobjectType: secret", "objectName", "file name must not contain '..'"],
  ["objectName: a\nobjectType: Secret", "objectType", "Invalid vaultObjectTypes. Should be secret, key, or cert"],
  ["objectName: a\nobjectVersion: 1", "objectType", "Invalid vaultObjectTypes. Should be secret, key, or cert"],
  ["objectAlias: a\nobjectType: secret", "objectName", "parameter name cannot be empty"],
];

describe("a bad provider class", () => {
  for (const [changes, field, message] of REFUSED) {
    test(`gets: ${message.split("\n")[0]}`, () => {
      const problem = refuse(aSpec(changes));
      assert.equal(problem.message, message);
      assert.equal(problem.field, `spec.parameters${field === "" ? "" : `.${field}`}`);
      assert.notEqual(problem.hint, "");
    });
  }

  for (const [lines, key, message] of REFUSED_OBJECTS) {
    test(`with an entry ${JSON.stringify(lines)} gets: ${message}`, () => {
      const problem = refuse(aSpec({ objects: objectsOf(lines) }));
      const value = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(lines)?.[1] ?? "";
      const prefix = `failed to get objectType:${value("objectType")}, objectName:${value("objectName")}, objectVersion:${value("objectVersion")}: `;
      assert.equal(problem.message, prefix + message);
      assert.equal(problem.field, `spec.parameters.objects[0].${key}`);
      assert.equal(problem.reason, "InvalidObject");
    });
  }

  test("reports the first failure in upstream's order", () => {
    const everything = { usePodIdentity: "x", keyvaultName: "", tenantId: "", cloudName: "x", objects: "" };
    assert.match(refuse(aSpec(everything)).message, /usePodIdentity/);
    assert.match(refuse(aSpec({ ...everything, usePodIdentity: "" })).message, /keyvaultName is not/);
    assert.match(refuse(aSpec({ cloudName: "x", objects: "" })).message, /cloudName x/);
    assert.match(refuse(aSpec({ keyvaultName: "k", objects: objectsOf("objectType: secret") })).message, /file name must not be empty/);
    assert.match(refuse(aSpec({ keyvaultName: "k", objects: objectsOf("objectName: a") })).message, /Invalid vault name/);
  });

  test("is described in one line with place and remedy", () => {
    assert.equal(
      describeProblem(refuse(aSpec({ keyvaultName: "" }))),
      "keyvaultName is not provided (spec.parameters.keyvaultName: set it to the name of the key vault)",
    );
  });

  test("is refused where its text is larger than any class", () => {
    assert.match(refuse(aSpec({ objects: `array: ["${"a".repeat(270_000)}"]` })).message, /longer than 262144/);
  });

  test("is refused where aliases make it larger than any class", () => {
    const objects = `x: &x "${"a".repeat(20_000)}"\narray: [${"*x,".repeat(1000)}]`;
    assert.match(refuse(aSpec({ objects })).message, /expand to more than/);
  });

  test("is refused where it nests merges to blow up", () => {
    const levels = Array.from({ length: 30 }, (_, level) => `l${level + 1}: &l${level + 1}\n  <<: [${`*l${level},`.repeat(9)}]`);
    const objects = `l0: &l0 {a: b}\n${levels.join("\n")}\n<<: *l30\n`;
    assert.match(refuse(aSpec({ objects })).message, /excessive aliasing/);
  });
});
