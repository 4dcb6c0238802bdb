import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { parseCloudFile } from "../../src/domain/provider-class/cloud-file.ts";
import type { ReadCloudFile } from "../../src/domain/provider-class/parameters.ts";
import { parseProviderClass } from "../../src/domain/read-class.ts";
import { failed, ok } from "../../src/domain/result.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

const DESCRIPTION = {
  name: "AzureStackCloud",
  activeDirectoryEndpoint: "https://login.cloud.example/",
  keyVaultEndpoint: "https://vault.cloud.example/",
  keyVaultDNSSuffix: "vault.cloud.example",
};

const describing = (changes: Readonly<Record<string, unknown>>) => JSON.stringify({ ...DESCRIPTION, ...changes });

function errorOf(text: string): string {
  const parsed = parseCloudFile(bytesOf(text), "AzureStackCloud");
  assert.ok(!parsed.ok, JSON.stringify(parsed));
  return parsed.error;
}

describe("a cloud file", () => {
  test("with the four members of the provider's documentation is read", () => {
    assert.deepEqual(parseCloudFile(bytesOf(describing({})), "AzureStackCloud"), {
      ok: true,
      value: {
        name: "AzureStackCloud",
        vaultSuffix: "vault.cloud.example",
        authorityHost: "https://login.cloud.example/",
        scope: "https://vault.cloud.example/.default",
        isCustom: true,
      },
    });
  });

  test("is read as Go reads it: keys in any case, the last of two wins, null and unknown members mean nothing", () => {
    const text = describing({ KEYVAULTDNSSUFFIX: "vault.other.example", keyVaultEndpoint: null, resourceIdentifiers: null, more: [1] });
    const parsed = parseCloudFile(bytesOf(text), "AzureStackCloud");
    assert.ok(parsed.ok, JSON.stringify(parsed));
    assert.equal(parsed.value.vaultSuffix, "vault.other.example");
    assert.equal(parsed.value.scope, "https://vault.other.example/.default");
  });

  test("may name an audience of another domain, as that of Azure Stack Hub does", () => {
    const parsed = parseCloudFile(bytesOf(describing({ keyVaultEndpoint: "https://vault.directory.example/4f9b2d60" })), "x");
    assert.ok(parsed.ok);
    assert.equal(parsed.value.scope, "https://vault.directory.example/4f9b2d60/.default");
  });

  for (const [given, apiVersion] of [
    [{}, undefined],
    [{ keyVaultAPIVersion: null }, undefined],
    [{ keyVaultAPIVersion: "7.1" }, "7.1"],
    [{ KEYVAULTAPIVERSION: "2025-07-01" }, "2025-07-01"],
    [{ keyVaultAPIVersion: "7.1", keyvaultapiversion: "7.6-preview.2" }, "7.6-preview.2"],
  ] as const) {
    test(`with ${JSON.stringify(given)} asks for version ${apiVersion ?? "that every cloud knows"}`, () => {
      const parsed = parseCloudFile(bytesOf(describing(given)), "AzureStackCloud");
      assert.ok(parsed.ok, JSON.stringify(parsed));
      assert.equal(parsed.value.apiVersion, apiVersion);
    });
  }

  for (const keyVaultAPIVersion of [7.1, "", "latest", "7.1&x=y", "7", ["7.1"]]) {
    test(`with version ${JSON.stringify(keyVaultAPIVersion)} of the API is refused`, () => {
      assert.equal(errorOf(describing({ keyVaultAPIVersion })), 'keyVaultAPIVersion must be a version of Key Vault\'s API such as "7.1"');
    });
  }

  for (const text of ["", "{", "\ufeff{}", "name: x", '{"name": "x",}', "{} {}", "[".repeat(10_001)]) {
    test(`${JSON.stringify(text.slice(0, 40))} is no JSON, and not quoted`, () =>
      assert.equal(errorOf(text), "the file is not valid JSON"));
  }

  // Measured with encoding/json of Go 1.26 and go-autorest 0.11.30.
  for (const [text, error] of [
    ["[]", "json: cannot unmarshal array into Go value of type azure.Environment"],
    ["true", "json: cannot unmarshal bool into Go value of type azure.Environment"],
    ['{"name": 1}', "json: cannot unmarshal number into Go struct field Environment.name of type string"],
    ['{"GraphEndpoint": {}}', "json: cannot unmarshal object into Go struct field Environment.graphEndpoint of type string"],
    [
      '{"resourceIdentifiers": []}',
      "json: cannot unmarshal array into Go struct field Environment.resourceIdentifiers of type azure.ResourceIdentifier",
    ],
    [
      '{"resourceIdentifiers": {"keyvault": false}}',
      "json: cannot unmarshal bool into Go struct field ResourceIdentifier.resourceIdentifiers.keyVault of type string",
    ],
  ] as const) {
    test(`${JSON.stringify(text.slice(0, 40))} fails with Go's words`, () => assert.equal(errorOf(text), error));
  }

  for (const [member, value] of [
    ["keyVaultDNSSuffix", ""],
    ["keyVaultDNSSuffix", ".vault.example"],
    ["keyVaultDNSSuffix", "vault.example/x"],
    ["keyVaultDNSSuffix", "vault.example@evil.example"],
    ["activeDirectoryEndpoint", undefined],
    ["activeDirectoryEndpoint", "http://login.example/"],
    ["activeDirectoryEndpoint", "https://user@login.example/"],
    ["activeDirectoryEndpoint", "https://login.example/?x"],
    ["keyVaultEndpoint", "vault.example"],
  ] as const) {
    test(`with ${member} ${JSON.stringify(value)} is refused, and the member named`, () => {
      assert.match(errorOf(describing({ [member]: value })), new RegExp(`^${member} must be .*example`));
    });
  }
});

describe("a class of AzureStackCloud", () => {
  const FILES: Readonly<Record<string, string>> = { "cloud.json": describing({}), "broken.json": "{" };
  const read: ReadCloudFile = (name) => {
    const text = FILES[name];
    return text === undefined ? failed(`open ${name}: no such file or directory`) : ok(bytesOf(text));
  };

  function parse(changes: Readonly<Record<string, string>>, readCloudFile: ReadCloudFile | undefined = read) {
    const objects = "array:\n  - |\n    objectName: a\n    objectType: secret\n";
    const parameters = { keyvaultName: "demo", tenantID: "t", objects, cloudName: "AzureStackCloud", ...changes };
    return parseProviderClass({ provider: "azure", parameters }, { owner: "ns/name", cloudName: "AzurePublicCloud", readCloudFile });
  }

  test("gets its vault's address, its authority and the scope from the file", () => {
    const parsed = parse({ cloudEnvFileName: " cloud.json ", cloudName: "azurestackcloud" });
    assert.equal(parsed.kind, "class", JSON.stringify(parsed));
    assert.deepEqual(parsed.providerClass.address, {
      vaultUrl: "https://demo.vault.cloud.example/",
      authorityHost: "https://login.cloud.example/",
      tenantId: "t",
      customScope: "https://vault.cloud.example/.default",
    });
  });

  test("may be the default of the worker", () => {
    const parameters = { keyvaultName: "demo", tenantID: "adfs", objects: "array: []", cloudEnvFileName: "cloud.json" };
    const options = { owner: "ns/name", cloudName: "AzureStackCloud", readCloudFile: read };
    const parsed = parseProviderClass({ provider: "azure", parameters }, options);
    assert.equal(parsed.kind, "class", JSON.stringify(parsed));
    assert.equal(parsed.providerClass.address.tenantId, "adfs");
  });

  for (const [fileName, message] of [
    ["", "cloudName AzureStackCloud is not valid, error: open : no such file or directory"],
    ["none.json", "cloudName AzureStackCloud is not valid, error: open none.json: no such file or directory"],
    ["broken.json", "cloudName AzureStackCloud is not valid, error: the file is not valid JSON"],
    [
      "/cloudEnv/cloud.json",
      "cloudName AzureStackCloud is not valid, error: cloudEnvFileName must be the name of a file, without a folder",
    ],
    ["../cloud.json", "cloudName AzureStackCloud is not valid, error: cloudEnvFileName must be the name of a file, without a folder"],
    ["..", "cloudName AzureStackCloud is not valid, error: cloudEnvFileName must be the name of a file, without a folder"],
    ["a\\b", "cloudName AzureStackCloud is not valid, error: cloudEnvFileName must be the name of a file, without a folder"],
  ] as const) {
    test(`with the file name ${JSON.stringify(fileName)} is InvalidClass`, () => {
      const parsed = parse({ cloudEnvFileName: fileName });
      assert.equal(parsed.kind, "invalid");
      assert.equal(parsed.problem.message, message);
      assert.equal(parsed.problem.reason, "InvalidClass");
      assert.equal(parsed.problem.field, "spec.parameters.cloudEnvFileName");
      assert.match(parsed.problem.hint, /--cloud-env-dir/);
    });
  }

  test("is InvalidClass, naming the setting, where the worker has no folder of cloud files", () => {
    const parsed = parseProviderClass(
      { provider: "azure", parameters: { keyvaultName: "demo", tenantID: "t", cloudName: "AzureStackCloud", cloudEnvFileName: "x" } },
      { owner: "ns/name", cloudName: "AzurePublicCloud" },
    );
    assert.equal(parsed.kind, "invalid");
    assert.match(
      `${parsed.problem.message} ${parsed.problem.hint}`,
      /^cloudName AzureStackCloud is not valid, error: open x: .*--cloud-env-dir/,
    );
  });

  test("reads no file for a cloud that everybody knows", () => {
    const parsed = parse({ cloudName: "AzureChinaCloud", cloudEnvFileName: "none.json" });
    assert.equal(parsed.kind, "class", JSON.stringify(parsed));
    assert.equal(parsed.providerClass.address.customScope, undefined);
  });
});

describe("the preflight warnings of a class of AzureStackCloud", () => {
  const objects = "array:\n  - |\n    objectName: a\n    objectType: secret\n";
  const data = [{ objectName: "a", key: "k" }];

  function warned(cloudEnvFileName: string, isMirrored: boolean): readonly string[] {
    const parameters = { keyvaultName: "demo", tenantID: "t", objects, cloudName: "AzureStackCloud", cloudEnvFileName };
    const secretObjects = isMirrored ? [{ secretName: "s", type: "Opaque", data }] : [];
    const spec = { provider: "azure", parameters, secretObjects };
    const kind = { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass" };
    const provider = { ...kind, metadata: { name: "akv", namespace: "shop" }, spec };
    return classWarnings(provider, { cloudName: "AzurePublicCloud" }).map(({ message }) => message);
  }

  test("are none for a file that only the worker sees, and the rest of the class is checked", () => {
    assert.deepEqual(warned("cloud.json", true), []);
  });

  test("tell of a path where Secrets are wanted; a mount takes it", () => {
    assert.match(warned("/cloudEnv/cloud.json", true).join(), /cloudEnvFileName must be the name of a file/);
    assert.deepEqual(warned("/cloudEnv/cloud.json", false), []);
  });
});
