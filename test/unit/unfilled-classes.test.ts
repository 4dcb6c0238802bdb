import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { runOffline } from "../support/cli/cli.ts";
import { aClass } from "../support/fixtures/pods.ts";

const OBJECTS = "array:\n  - |\n    objectName: a\n    objectType: secret\n";
const ID = "00000000-0000-4000-8000-000000000001";

type SecretObjects = NonNullable<NonNullable<SecretProviderClass["spec"]>["secretObjects"]>;

const classWith = (parameters: Readonly<Record<string, string>>, secretObjects: SecretObjects = []): SecretProviderClass => ({
  ...aClass(),
  spec: { provider: "azure", parameters: { keyvaultName: "shop-kv", tenantID: ID, objects: OBJECTS, ...parameters }, secretObjects },
});

/** The warnings that kubectl apply prints for the class. */
const warned = (spc: SecretProviderClass): readonly string[] =>
  classWarnings(spc, { cloudName: "AzurePublicCloud" }).map(({ message }) => message.replace(/ \(failed.*| \(\w+ is still.*/s, ""));

const all = { keyvaultName: "<key-vault-name>", tenantID: "<tenant-id>", clientID: "<client-id>" };
const objects = OBJECTS.replace("objectName: a", "objectName: <secret-name>\n    objectVersion: <version>");

describe("NW-M7: all that nobody filled in of a class", () => {
  for (const [parameters, said] of [
    [
      { ...all, objects },
      "spec.parameters.keyvaultName: write the vault's name in place of <key-vault-name>; also replace <tenant-id> in tenantID, <client-id> in clientID, <secret-name> in objects[0].objectName, <version> in objects[0].objectVersion",
    ],
    [
      { ...all, keyvaultName: "https://shop-kv.vault.azure.net" },
      "spec.parameters.keyvaultName: write only the vault's name, without https:// and domain; also replace <tenant-id> in tenantID, <client-id> in clientID",
    ],
    [
      { ...all, keyvaultName: "shop-kv" },
      "spec.parameters.tenantID: write the tenant's id in place of <tenant-id>, a GUID such as the portal shows it; also replace <client-id> in clientID",
    ],
    [
      { clientID: "<client-id>", objects: OBJECTS.replace("objectName: a", "objectName: <a>") },
      "spec.parameters.clientID: write the client id of the identity in place of <client-id>; also replace <a> in objects[0].objectName",
    ],
    [{ clientID: "<client-id>" }, "spec.parameters.clientID: write the client id of the identity in place of <client-id>"],
  ] as const) {
    test(`is told at once: ${JSON.stringify(parameters).slice(0, 80)}`, () => assert.deepEqual(warned(classWith(parameters)), [said]));
  }

  test("is told of six and a number, where there are many", () => {
    const entry = "  - |\n    objectName: <name>\n    objectType: secret\n";
    const [said = ""] = warned(classWith({ clientID: "<client-id>", objects: `array:\n${entry.repeat(9)}` }));
    assert.match(said, /<name> in objects\[0\]\.objectName, .*<name> in objects\[5\]\.objectName and 3 more$/);
  });

  test("is told of a version and a name alone as well", () => {
    assert.deepEqual(warned(classWith({ clientID: ID, objects })), [
      "objects[0].objectName: write the name of an object in the vault in place of <secret-name>",
      "objects[0].objectVersion: write a version of the object in place of <version>, or remove it for the current one",
    ]);
    assert.deepEqual(warned(classWith({ clientID: ID })), []);
  });

  test("leaves explain's step of the identity no ok", async () => {
    const identity = async (clientID: string): Promise<string> => {
      const spc = classWith({ clientID });
      const { output } = await runOffline(["explain", "-f", "-"], JSON.stringify(spc));
      return output.split("\n").find((line) => /^ +\S+ +identity /.test(line)) ?? output;
    };
    assert.match(await identity("<client-id>"), /^ +PROBLEM +identity +class \S+ names no identity: clientID is still a placeholder$/);
    assert.match(await identity(ID), /^ +ok +identity /);
  });
});

describe("NW-L14: a placeholder in a Secret that a class makes", () => {
  const data = [{ objectName: "a", key: "a" }];

  for (const [secretObject, said] of [
    [
      { secretName: "<secret>", type: "Opaque", data },
      'secretObjects[0].secretName: "<secret>" is not a valid Secret name: write the name of the Secret in place of <secret>',
    ],
    [
      { secretName: "a", type: "Opaque", data: [{ objectName: "a", key: "<key>" }] },
      'secretObjects[0].data[0].key: "<key>" is not a valid Secret key: write a key of the Secret in place of <key>',
    ],
    [
      { secretName: "A", type: "Opaque", data },
      'secretObjects[0].secretName: "A" is not a valid Secret name: use lower-case letters, digits, - and ., starting and ending with a letter or digit, at most 253 characters',
    ],
  ] as const) {
    test(`is told as that: ${said.slice(0, 60)}`, () => assert.deepEqual(warned(classWith({ clientID: ID }, [secretObject])), [said]));
  }
});
