import assert from "node:assert/strict";
import { describe, test } from "node:test";

import type { SecretProviderClassSpec } from "../../src/domain/kubernetes.ts";
import { type ProviderClass, parseProviderClass } from "../../src/domain/provider-class/parse.ts";
import { type ClassProblem, describeProblem } from "../../src/domain/provider-class/problem.ts";

const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/** The class of the extension's documentation, as a client-side apply stores it: `cloudName` without a value is dropped. */
const DOCUMENT_OBJECTS = `array:
  - |
    objectName: DemoSecret
    objectType: secret             # object types: secret, key or cert
    objectVersion: ""              # [OPTIONAL] object versions, default to latest if empty
`;

const objectsOf = (...entries: readonly string[]) =>
  `array:\n${entries.map((entry) => `  - |\n${entry.replaceAll(/^/gm, "    ")}\n`).join("")}`;

/** A good class; a test states only what differs. An undefined parameter is left out. */
function aSpec(changes: Readonly<Record<string, string | undefined>> = {}): SecretProviderClassSpec {
  const given = { usePodIdentity: "false", keyvaultName: "demo-vault", objects: DOCUMENT_OBJECTS, tenantId: TENANT, ...changes };
  return {
    provider: "azure",
    parameters: Object.fromEntries(Object.entries(given).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))),
  };
}

const parse = (spec: SecretProviderClassSpec | undefined) => parseProviderClass(spec, { owner: "shop/akv", cloudName: "AzurePublicCloud" });

function accept(changes: Readonly<Record<string, string | undefined>> = {}): ProviderClass {
  const parsed = parse(aSpec(changes));
  assert.equal(parsed.kind, "class", JSON.stringify(parsed));
  return parsed.providerClass;
}

function refuse(spec: SecretProviderClassSpec | undefined): ClassProblem {
  const parsed = parse(spec);
  assert.equal(parsed.kind, "invalid", JSON.stringify(parsed));
  return parsed.problem;
}

const withObject = (lines: string) => aSpec({ objects: objectsOf(lines) });

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

/** The table of upstream's checks, in its order. */
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

/** Entries of `objects`, with what upstream says after `failed to get …: `. */
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
      const problem = refuse(withObject(lines));
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

describe("what this version cannot do", () => {
  test("no longer includes keys, certificates and histories", () => {
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

  test("is not confused with a history of one, or a format without effect", () => {
    const objects = objectsOf("objectName: a\nobjectType: secret\nobjectVersionHistory: 1\nobjectFormat: PFX\nobjectEncoding: BASE64");
    const [object] = accept({ objects }).objects;
    assert.deepEqual([object?.history, object?.format, object?.encoding], [1, "pfx", "base64"]);
  });
});
