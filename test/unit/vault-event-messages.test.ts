import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMessage } from "../../src/domain/vault-events/parse-message.ts";

const TIME = "2026-01-05T07:08:33.1036736Z";
const VERSION = "ee059b2bb5bc48398a53b168c6cdcb10";

function data(overrides: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const id = `https://Sample-kv.vault.azure.net/secrets/newSecret/${VERSION}`;
  return {
    Id: id,
    vaultName: "sample-kv",
    objectType: "Secret",
    objectName: "newSecret",
    version: VERSION,
    nbf: null,
    exp: null,
    ...overrides,
  };
}

function gridEvent(overrides: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    id: "00eccf70-95a7-4e7c-8299-2eb17ee9ad64",
    topic: "/subscriptions/x/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/sample-kv",
    subject: "newSecret",
    eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
    eventTime: TIME,
    data: data(),
    dataVersion: "1",
    metadataVersion: "1",
    ...overrides,
  };
}

function cloudEvent(overrides: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const { eventType: type, eventTime: time, topic: source, id, subject, data: facts } = gridEvent();
  return { id, source, subject, type, time, data: facts, specversion: "1.0", ...overrides };
}

const EXPECTED = {
  kind: "object",
  vaultHost: "sample-kv.vault.azure.net",
  change: "NewVersionCreated",
  types: ["secret"],
  name: "newsecret",
  version: VERSION,
  time: Date.parse(TIME),
};

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a message of an event queue", () => {
  const forms: Readonly<Record<string, string>> = {
    "Event Grid's schema": JSON.stringify(gridEvent()),
    "a CloudEvent": JSON.stringify(cloudEvent()),
    "a list of one": JSON.stringify([gridEvent()]),
    "base64, as Event Grid writes it": base64(JSON.stringify(gridEvent())),
    "base64 of a list of one": base64(JSON.stringify([cloudEvent()])),
    "JSON with blanks around it": `\n ${JSON.stringify(gridEvent())} \n`,
  };
  for (const [form, text] of Object.entries(forms)) {
    test(`is read: ${form}`, () => {
      assert.deepEqual(parseMessage(text), { ok: true, value: EXPECTED });
    });
  }

  test("has the members of its data in any spelling, as the documentation has them", () => {
    const { Id, ...rest } = data();
    for (const key of ["Id", "id", "ID"]) {
      assert.deepEqual(parseMessage(JSON.stringify(gridEvent({ data: { ...rest, [key]: Id } }))), { ok: true, value: EXPECTED });
    }
  });

  const changes: readonly (readonly [type: string, id: string, expected: object])[] = [
    ["SecretNearExpiry", "secrets/a", { change: "NearExpiry", types: ["secret"], version: undefined }],
    ["SecretExpired", "secrets/a/1", { change: "Expired", types: ["secret"], version: "1" }],
    ["KeyNewVersionCreated", "keys/a/1", { change: "NewVersionCreated", types: ["key"], version: "1" }],
    ["KeyNearExpiry", "keys/a/1", { change: "NearExpiry", types: ["key"], version: "1" }],
    ["CertificateNewVersionCreated", "certificates/a/1", { change: "NewVersionCreated", types: ["cert", "secret", "key"], version: "1" }],
    ["CertificateExpired", "certificates/a/1/", { change: "Expired", types: ["cert", "secret", "key"], version: "1" }],
  ];
  for (const [type, path, expected] of changes) {
    test(`tells which objects changed: ${type}`, () => {
      const event = gridEvent({ eventType: `Microsoft.KeyVault.${type}`, data: data({ Id: `https://shop.vault.azure.cn/${path}` }) });
      assert.deepEqual(parseMessage(JSON.stringify(event)), {
        ok: true,
        value: { ...EXPECTED, vaultHost: "shop.vault.azure.cn", name: "a", ...expected },
      });
    });
  }

  test("tells that a vault's access policies changed, of which it says the vault's name alone", () => {
    const eventType = "Microsoft.KeyVault.VaultAccessPolicyChanged";
    const expected = { ok: true, value: { kind: "access", vaultName: "sample-kv", time: Date.parse(TIME) } };
    assert.deepEqual(parseMessage(JSON.stringify(gridEvent({ eventType, data: { VaultName: "Sample-kv" } }))), expected);
    assert.deepEqual(parseMessage(JSON.stringify(gridEvent({ eventType, data: null }))), expected);
    assert.deepEqual(parseMessage(JSON.stringify(gridEvent({ eventType, data: {}, topic: "" }))), { ok: false, error: "malformed" });
  });

  const malformed: Readonly<Record<string, string>> = {
    "no text": "",
    "no JSON": "hello",
    "base64 of no JSON": base64("hello"),
    "base64 of bytes that are no text": Buffer.from([0xff, 0xfe, 0x00]).toString("base64"),
    "JSON that breaks off": JSON.stringify(gridEvent()).slice(0, -10),
    "a number": "7",
    null: "null",
    "an empty list": "[]",
    "two events": JSON.stringify([gridEvent(), gridEvent()]),
    "a list in a list": JSON.stringify([[gridEvent()]]),
    "no type": JSON.stringify(gridEvent({ eventType: undefined })),
    "no data": JSON.stringify(gridEvent({ data: undefined })),
    "no time": JSON.stringify(gridEvent({ eventTime: "soon" })),
    "a time that is no text": JSON.stringify(gridEvent({ eventTime: 7 })),
    "no id": JSON.stringify(gridEvent({ data: data({ Id: undefined }) })),
    "an id of another kind": JSON.stringify(gridEvent({ data: data({ Id: "https://a-vault.vault.azure.net/keys/a/1" }) })),
    "an id over HTTP": JSON.stringify(gridEvent({ data: data({ Id: "http://a-vault.vault.azure.net/secrets/a/1" }) })),
    "an id with a port": JSON.stringify(gridEvent({ data: data({ Id: "https://a-vault.vault.azure.net:8443/secrets/a/1" }) })),
    "an id with a user": JSON.stringify(gridEvent({ data: data({ Id: "https://me@a-vault.vault.azure.net/secrets/a/1" }) })),
    "an id with a query": JSON.stringify(gridEvent({ data: data({ Id: "https://a-vault.vault.azure.net/secrets/a/1?x=1" }) })),
    "a path that leads elsewhere": JSON.stringify(
      gridEvent({ data: data({ Id: "https://a-vault.vault.azure.net/secrets/a%2f..%2fb/1" }) }),
    ),
    "a host without a cloud": JSON.stringify(gridEvent({ data: data({ Id: "https://localhost/secrets/a/1" }) })),
    "an address in place of a host": JSON.stringify(gridEvent({ data: data({ Id: "https://[::1]/secrets/a/1" }) })),
    "more than a queue takes": JSON.stringify(gridEvent({ subject: "x".repeat(70_000) })),
  };
  for (const [what, text] of Object.entries(malformed)) {
    test(`is malformed: ${what}`, () => {
      assert.deepEqual(parseMessage(text), { ok: false, error: "malformed" });
    });
  }

  for (const type of ["Microsoft.Storage.BlobCreated", "Microsoft.KeyVault.SecretDeleted", "microsoft.keyvault.secretexpired", "x"]) {
    test(`is of no type that is known here: ${type}`, () => {
      assert.deepEqual(parseMessage(JSON.stringify(cloudEvent({ type }))), { ok: false, error: "otherType" });
    });
  }
});
