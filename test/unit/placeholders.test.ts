import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { readServicePrincipal } from "../../src/domain/provider-class/service-principal.ts";
import { parseConfig } from "../../src/runtime/config.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aClass } from "../support/fixtures/pods.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const OBJECTS = "array:\n  - |\n    objectName: a\n    objectType: secret\n";

/** The warnings that kubectl apply prints for a class with these parameters. */
const warned = (parameters: Readonly<Record<string, string>>): readonly string[] => {
  const spec = { provider: "azure", parameters: { keyvaultName: "shop-kv", tenantID: "tenant", objects: OBJECTS, ...parameters } };
  return classWarnings({ ...aClass(), spec }, { cloudName: "AzurePublicCloud", identityBindings: true }).map(
    ({ reason, message }) => `${reason} ${message}`,
  );
};

describe("NV4: a class whose identity is still the placeholder of a page", () => {
  for (const [key, parameters] of [
    ["clientID", { clientID: "<client-id>" }],
    ["clientID", { clientID: " <client-id> ", useAzureTokenProxy: "true" }],
    ["userAssignedIdentityID", { useVMManagedIdentity: "true", userAssignedIdentityID: "<client-id>" }],
  ] as const) {
    test(`is warned of with the field: ${JSON.stringify(parameters)}`, () => {
      assert.deepEqual(warned(parameters), [
        `InvalidClass spec.parameters.${key}: write the client id of the identity in place of <client-id> (${key} is still a placeholder)`,
      ]);
    });
  }

  test("is not warned of where it is an id, or a parameter that its identity does not use", () => {
    const id = "00000000-0000-4000-8000-000000000001";
    assert.deepEqual(warned({ clientID: id }), []);
    assert.deepEqual(warned({ useVMManagedIdentity: "true", userAssignedIdentityID: id, clientID: "<client-id>" }), []);
  });

  test("is told of an object's name as of the vault's", () => {
    assert.deepEqual(warned({ clientID: "id", objects: OBJECTS.replace("objectName: a", "objectName: <secret-name>") }), [
      "InvalidObject objects[0].objectName: write the name of an object in the vault in place of <secret-name>",
    ]);
  });
});

const secret = (data: Readonly<Record<string, string>>): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "secrets-store-creds", namespace: "shop" },
  data,
});

describe("NV4: credentials that are still the placeholders of a page", () => {
  const values = ["<client-id>", "<canary-secret>", " <client-id>\n"].map((value) => Buffer.from(value).toString("base64"));
  const [id = "", canary = "", padded = ""] = values;

  for (const [data, key] of [
    [{ clientid: id, clientsecret: btoa("s") }, "clientid"],
    [{ clientid: padded, clientsecret: btoa("s") }, "clientid"],
    [{ ClientId: btoa("i"), clientsecret: canary }, "clientsecret"],
  ] as const) {
    test(`are refused by the worker with the key, and without the value: ${key}`, () => {
      const read = readServicePrincipal(data);
      assert.ok(!read.ok);
      assert.equal(read.error.field, `data.${key}`);
      assert.match(`${read.error.hint} (${read.error.message})`, /in place of the placeholder \(the value is still a placeholder\)$/);
      assert.doesNotMatch(JSON.stringify(read), /</);
    });
  }

  test("are what they are where an angle bracket is a part of them", () => {
    assert.ok(readServicePrincipal({ clientid: btoa("a<b>"), clientsecret: btoa("<a>~b") }).ok);
  });

  test("are told by explain and doctor class", async () => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
    const objects = [
      namespace,
      usedClass("shop", { objects: ["secret/a"], secrets: { a: { a: "a" } } }),
      secret({ clientid: btoa("i"), clientsecret: canary }),
    ];
    const cluster = heldCluster(objects);
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "a",
        annotations: { "keyvault-injector.dev/inject": "true", "keyvault-injector.dev/secret-provider-class": "shop" },
      },
      spec: { containers: [{ name: "a", image: "a" }] },
    };
    const explained = (await runOffline(["explain", "-f", "-", "-n", "shop"], JSON.stringify(pod), { cluster })).output;
    const planned = (await runOffline(["doctor", "plan"], "", { cluster })).output;

    assert.match(explained, /PROBLEM +credentials +clientsecret of Secret secrets-store-creds is still a placeholder/);
    assert.match(planned, /CredentialsMissing: Secret shop\/secrets-store-creds: clientsecret is still a placeholder$/m);
    assert.doesNotMatch(explained + planned, /canary/);
  });
});

describe("explain and doctor class, of a key of the credentials in several spellings,", () => {
  const PLACEHOLDER = btoa("<client-id>");
  const explained = async (data: Readonly<Record<string, string>>): Promise<string> => {
    const objects = [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      usedClass("shop", { objects: ["secret/a"], secrets: { a: { a: "a" } } }),
      secret(data),
    ];
    return (await runOffline(["explain", "spc/shop"], "", { cluster: heldCluster(objects) })).output;
  };

  test("NW-M2: look at the one alone that the worker uses", async () => {
    const right = { clientid: btoa("i"), clientsecret: btoa("s") };

    assert.match(
      await explained({ ...right, ClientID: PLACEHOLDER, CLIENTSECRET: btoa("s\n") }),
      /ok +credentials +Secret secrets-store-creds has/,
    );
    assert.match(
      await explained({ clientsecret: btoa("s"), CLIENTID: PLACEHOLDER, ClientID: btoa("i") }),
      /PROBLEM +credentials +CLIENTID of Secret secrets-store-creds is still a placeholder: put the value there/,
    );
  });

  test("NW-L1: speak of two keys as two", async () => {
    assert.match(
      await explained({ clientid: PLACEHOLDER, clientsecret: PLACEHOLDER }),
      /clientid and clientsecret of Secret secrets-store-creds are still placeholders: put the values there, or the sign-in fails$/m,
    );
    assert.match(
      await explained({ clientid: btoa("i\n"), clientsecret: btoa("s\n") }),
      /clientid and clientsecret of Secret secrets-store-creds begin or end with white space, .*; write them again with kubectl create secret generic/,
    );
  });
});

describe("NV4: a setting that is still the placeholder of a page", () => {
  const problems = (argv: readonly string[], environment = {}): readonly string[] => {
    const config = parseConfig(argv, environment);
    return config.ok ? [] : config.error;
  };

  test("is an error with the flag, or the variable", () => {
    assert.deepEqual(problems(["--tenant-id=<tenant-id>"]), ['--tenant-id: "<tenant-id>": write the value in place of the placeholder']);
    assert.deepEqual(problems([], { KEYVAULT_INJECTOR_NODE_IDENTITY_CLIENT_ID: "<client-id>" }), [
      'KEYVAULT_INJECTOR_NODE_IDENTITY_CLIENT_ID: "<client-id>": write the value in place of the placeholder',
    ]);
    assert.deepEqual(problems(["--credentials-secret-names=a,<name>"]), [
      '--credentials-secret-names: "a,<name>": write the value in place of the placeholder',
    ]);
    assert.deepEqual(problems(["--tenant-id=tenant", "--credentials-secret-names=a,b"]), []);
  });

  test("is refused by the schema of the chart", () => {
    const { properties } = JSON.parse(readRepositoryFile("manifests/helm/keyvault-injector/values.schema.json"));
    for (const name of ["tenantId", "nodeIdentityClientId"]) {
      const pattern = new RegExp(properties[name].pattern);
      assert.deepEqual(
        [`<${name}>`, "", "contoso.onmicrosoft.com"].map((value) => pattern.test(value)),
        [false, true, true],
      );
    }
  });
});

describe("SW6: a placeholder as pages and tools for deployments write it", () => {
  const FORMS = [
    "$NAME",
    "$KEYVAULT_NAME",
    "${KV}",
    "$(KV_NAME)",
    "__KEY_VAULT_NAME__",
    "#{KV}#",
    "#{KV}",
    "%KV%",
    "<kv-name>",
    "YOUR-KEY-VAULT-NAME-HERE",
  ];

  for (const form of FORMS) {
    test(`SW6: is warned of in each field, with the advice to fill it in: ${form}`, () => {
      const [ofVault = "", ofTenant = "", ofIdentity = ""] = [
        { keyvaultName: form.replace("KEY-VAULT-NAME-HERE", "KEY_VAULT_NAME"), clientID: "id" },
        { tenantID: form, clientID: "id" },
        { clientID: form },
      ].map((parameters) => warned(parameters)[0]);

      assert.match(ofVault, /^InvalidClass spec\.parameters\.keyvaultName: write the vault's name in place of /);
      assert.ok(ofTenant.includes(`spec.parameters.tenantID: write the tenant's id in place of ${form}, `), ofTenant);
      assert.ok(ofIdentity.includes(`spec.parameters.clientID: write the client id of the identity in place of ${form} `), ofIdentity);
    });
  }

  for (const form of FORMS.slice(0, -1)) {
    test(`SW6: is no name of an object in a vault, and no client secret: ${form}`, () => {
      const objects = OBJECTS.replace("objectName: a", `objectName: '${form}'`);

      assert.deepEqual(warned({ clientID: "id", objects }), [
        `InvalidObject objects[0].objectName: write the name of an object in the vault in place of ${form}`,
      ]);
      assert.ok(!readServicePrincipal({ clientid: btoa("i"), clientsecret: btoa(form) }).ok);
    });
  }

  test("SW6: leaves names and secrets that only contain such characters", () => {
    assert.deepEqual(warned({ keyvaultName: "your-kv", tenantID: "your-tenant.example", clientID: "your-client-id" }), []);
    for (const form of [
      "$ecret",
      "$PASSWORD1",
      "Pa$$WORD",
      "__~__",
      "%41%42",
      "100%SURE%",
      "#{",
      "YOURS-TRULY",
      "$lower_case",
      "__lower__",
    ])
      assert.ok(readServicePrincipal({ clientid: btoa("i"), clientsecret: btoa(form) }).ok, form);
  });

  test("SW6: is looked for in the settings, too", () => {
    for (const form of ["$TENANT_ID", "__TENANT_ID__", "#{TENANT}#"]) {
      const config = parseConfig([`--tenant-id=${form}`], {});

      assert.deepEqual(config.ok ? [] : config.error, [`--tenant-id: "${form}": write the value in place of the placeholder`]);
    }
  });

  for (const [name, hint] of [
    ["https://shop-kv.vault.azure.net/", "write only the vault's name, without https:// and domain"],
    ["shop-kv.vault.azure.net", "write only the vault's name, without https:// and domain"],
    ["shop_kv", "write the vault's name: 3 to 24 letters, digits, and dashes"],
    ["kv", "write the vault's name: 3 to 24 letters, digits, and dashes"],
  ] as const) {
    test(`SW6: only a name with a domain is advised to lose it: ${name}`, () => {
      assert.ok(warned({ keyvaultName: name, clientID: "id" })[0]?.includes(`keyvaultName: ${hint} (`), warned({ keyvaultName: name })[0]);
    });
  }
});
