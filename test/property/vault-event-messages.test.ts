import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMessage } from "../../src/domain/vault-events/parse-message.ts";

const COLLECTIONS = { Secret: "secrets", Key: "keys", Certificate: "certificates" } as const;

const name = fc.stringMatching(/^[0-9a-zA-Z-]{1,127}$/);
const vault = fc.stringMatching(/^[a-z][a-z0-9]{1,20}[a-z0-9]$/);
const event = fc.record({
  object: fc.constantFrom(...(["Secret", "Key", "Certificate"] as const)),
  change: fc.constantFrom("NewVersionCreated", "NearExpiry", "Expired"),
  vault,
  suffix: fc.constantFrom("vault.azure.net", "vault.usgovcloudapi.net", "vault.region.stack.example"),
  name,
  version: fc.option(fc.stringMatching(/^[0-9a-f]{32}$/), { nil: undefined }),
  time: fc.date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true }),
  isCloudEvent: fc.boolean(),
  isListed: fc.boolean(),
  isEncoded: fc.boolean(),
  /** Unknown members that a sender may add. */
  extra: fc.dictionary(fc.stringMatching(/^x[a-z]{1,8}$/), fc.jsonValue()),
});

test("any event of a vault is read as what it was made from, in each of its forms", () => {
  fc.assert(
    fc.property(event, (given) => {
      const type = `Microsoft.KeyVault.${given.object}${given.change}`;
      const time = given.time.toISOString();
      const version = given.version === undefined ? "" : `/${given.version}`;
      const data = { ...given.extra, Id: `https://${given.vault}.${given.suffix}/${COLLECTIONS[given.object]}/${given.name}${version}` };
      const made = given.isCloudEvent ? { specversion: "1.0", type, time, data } : { eventType: type, eventTime: time, data };
      const json = JSON.stringify(given.isListed ? [{ ...given.extra, ...made }] : { ...given.extra, ...made });
      const parsed = parseMessage(given.isEncoded ? Buffer.from(json).toString("base64") : json);
      assert.ok(parsed.ok && parsed.value.kind === "object");
      assert.equal(parsed.value.vaultHost, `${given.vault}.${given.suffix}`);
      assert.equal(parsed.value.name, given.name.toLowerCase());
      assert.equal(parsed.value.version, given.version);
      assert.equal(parsed.value.time, given.time.getTime());
    }),
  );
});

test("any other text is an answer, too, and never a vault that the text does not name", () => {
  const mutated = fc.tuple(event, fc.nat(), fc.string({ maxLength: 5 })).map(([given, at, part]) => {
    const text = JSON.stringify({ eventType: `Microsoft.KeyVault.${given.object}Expired`, eventTime: "2026-01-01", data: given });
    return `${text.slice(0, at % text.length)}${part}${text.slice((at % text.length) + part.length)}`;
  });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.base64String(), mutated, fc.string({ unit: "binary" })), (text) => {
      const parsed = parseMessage(text);
      if (!parsed.ok) assert.ok(["malformed", "otherType"].includes(parsed.error));
    }),
  );
});
