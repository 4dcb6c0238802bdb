import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseProviderClass } from "../../src/domain/read-class.ts";
import { accept, aSpec, objectsOf, parse, refuse, TENANT } from "../support/fixtures/provider-class-spec.ts";

describe("a provider class", () => {
  test("of the documentation is read, comments in the block included", () => {
    assert.deepEqual(accept(), {
      address: { vaultUrl: "https://demo-vault.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: TENANT },
      scope: "https://vault.azure.net/.default",
      identity: { kind: "servicePrincipal" },
      objects: [
        {
          type: "secret",
          name: "DemoSecret",
          version: undefined,
          history: 0,
          path: "DemoSecret",
          format: "pem",
          encoding: "utf-8",
          filePermission: "",
        },
      ],
      warnings: [],
    });
  });

  test("with an empty cloudName is of the default cloud", () => {
    assert.deepEqual(accept({ cloudName: "" }), accept());
    const parsed = parseProviderClass(aSpec(), { owner: "shop/akv", cloudName: "azurechinacloud" });
    assert.equal(parsed.kind === "class" && parsed.providerClass.address.vaultUrl, "https://demo-vault.vault.azure.cn/");
  });

  test("of another provider is not ours", () => {
    assert.deepEqual(parse({ provider: "vault", parameters: {} }), { kind: "notOurs", provider: "vault" });
    assert.deepEqual(parse({ provider: "Azure" }), { kind: "notOurs", provider: "Azure" });
  });

  test("without provider or parameters gets the driver's texts", () => {
    assert.equal(refuse(undefined).message, "provider not set in shop/akv");
    assert.equal(refuse({ parameters: { keyvaultName: "x" } }).message, "provider not set in shop/akv");
    assert.equal(refuse({ provider: "azure" }).message, "parameters not set in shop/akv");
    assert.equal(refuse({ provider: "azure", parameters: {} }).message, "parameters not set in shop/akv");
  });

  test("has its values trimmed and unknown keys ignored", () => {
    const changes = {
      keyvaultName: " demo-vault\n",
      tenantId: `\t${TENANT} `,
      usePodIdentity: " false ",
      cloudName: " ",
      resourceGroup: "x",
    };
    assert.deepEqual(accept(changes), accept());
  });

  test("prefers tenantID over tenantId", () => {
    assert.equal(accept({ tenantID: "other", tenantId: TENANT }).address.tenantId, "other");
    assert.equal(accept({ tenantID: " ", tenantId: TENANT }).address.tenantId, TENANT);
  });

  for (const [name, suffix, authority] of [
    ["AzurePublicCloud", "vault.azure.net", "login.microsoftonline.com"],
    ["AZURECLOUD", "vault.azure.net", "login.microsoftonline.com"],
    ["azureUSGovernmentCloud", "vault.usgovcloudapi.net", "login.microsoftonline.us"],
    ["AzureUSGovernment", "vault.usgovcloudapi.net", "login.microsoftonline.us"],
    ["azurechinacloud", "vault.azure.cn", "login.chinacloudapi.cn"],
    ["AzureGermanCloud", "vault.microsoftazure.de", "login.microsoftonline.de"],
  ] as const) {
    test(`of cloud ${name} is fetched from ${suffix}`, () => {
      const { address, scope } = accept({ cloudName: name });
      assert.equal(address.vaultUrl, `https://demo-vault.${suffix}/`);
      assert.equal(address.authorityHost, `https://${authority}/`);
      assert.equal(scope, `https://${suffix}/.default`);
    });
  }

  test("without objects is accepted with a warning, and its vault's name is not looked at", () => {
    for (const objects of ["array: []", "array:", "Array:\n  - x", "{}"]) {
      const { objects: parsed, warnings } = accept({ objects, keyvaultName: "x" });
      assert.deepEqual(parsed, []);
      assert.match(warnings[0]?.message ?? "", /missing object versions/);
    }
  });

  test("warns about equal file names and unreadable permissions, which upstream accepts silently", () => {
    const entry = (lines: string) => `objectType: secret\n${lines}`;
    const { warnings } = accept({
      objects: objectsOf(
        entry("objectName: a"),
        entry("objectName: b\nobjectAlias: a\nfilePermission: 0o644"),
        entry("objectName: c\nfilePermission: 0755"),
      ),
    });
    assert.deepEqual(
      warnings.map(({ field }) => field),
      ["spec.parameters.objects[1]", "spec.parameters.objects[1].filePermission"],
    );
  });
});

describe("keys, certificates and histories", () => {
  test("are read, with a warning of what a history gives", () => {
    const entries = ["objectName: a\nobjectType: key", "objectName: b\nobjectType: cert\nobjectVersionHistory: 2"];
    const { objects, warnings } = accept({ objects: objectsOf(...entries) });
    assert.deepEqual(
      objects.map(({ type, history }) => [type, history]),
      [
        ["key", 0],
        ["cert", 2],
      ],
    );
    assert.deepEqual(warnings, [
      {
        message: "objectVersionHistory 2 gives up to 3 versions, as with the Azure provider",
        field: "spec.parameters.objects[1].objectVersionHistory",
      },
    ]);
  });

  test("are told from a history of one, and a format without effect is taken", () => {
    const objects = objectsOf("objectName: a\nobjectType: secret\nobjectVersionHistory: 1\nobjectFormat: PFX\nobjectEncoding: BASE64");
    const [object] = accept({ objects }).objects;
    assert.deepEqual([object?.history, object?.format, object?.encoding], [1, "pfx", "base64"]);
  });
});
