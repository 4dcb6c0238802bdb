import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";

import { readServicePrincipal } from "../../src/domain/provider-class/service-principal.ts";

const data = (entries: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(entries).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));

describe("the credentials Secret", () => {
  for (const [id, secret] of [
    ["clientid", "clientsecret"],
    ["clientID", "clientSecret"],
    ["CLIENTID", "ClientSecret"],
  ] as const) {
    test(`may spell its keys ${id} and ${secret}`, () => {
      const read = readServicePrincipal(data({ [id]: "the id", [secret]: "the secret\n", other: "x" }));
      assert.ok(read.ok);
      assert.equal(read.value.clientId, "the id");
      assert.equal(Buffer.from(read.value.clientSecret.reveal()).toString(), "the secret\n");
    });
  }

  test("counts by its exact spelling where it has several", () => {
    const read = readServicePrincipal(data({ clientID: "other", clientid: "exact", clientsecret: "s" }));
    assert.equal(read.ok && read.value.clientId, "exact");
  });

  for (const [entries, key] of [
    [{}, "clientid"],
    [{ clientsecret: "s" }, "clientid"],
    [{ clientid: "" }, "clientid"],
    [{ clientid: "i" }, "clientsecret"],
    [{ clientid: "i", clientsecret: "" }, "clientsecret"],
  ] as const) {
    test(`with ${JSON.stringify(Object.keys(entries))} lacks ${key}`, () => {
      const read = readServicePrincipal(data(entries));
      assert.ok(!read.ok);
      assert.equal(read.error.message, `failed to build auth config for mode None: could not find ${key} in secrets`);
      assert.equal(read.error.field, `data.${key}`);
      assert.equal(read.error.reason, "CredentialsMissing");
    });
  }

  test("of a Secret that is not there have the provider's other text", () => {
    const read = readServicePrincipal(undefined);
    assert.ok(!read.ok);
    const cause = "failed to get credentials, nodePublishSecretRef secret is not set";
    assert.equal(read.error.message, `failed to build auth config for mode None: ${cause}`);
  });

  test("shows no client secret when printed", () => {
    const read = readServicePrincipal(data({ clientid: "i", clientsecret: "canary" }));
    assert.doesNotMatch(inspect(read, { depth: 9, showHidden: true }) + JSON.stringify(read), /canary|Y2FuYXJ5/);
  });
});
