import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { parseCloudFile } from "../../src/domain/provider-class/cloud-file.ts";

const MIB = 1_048_576;
const SLOWEST_MS = 10_000;

const member = fc.constantFrom("name", "NAME", "activeDirectoryEndpoint", "keyVaultEndpoint", "keyVaultDNSSuffix", "resourceIdentifiers");
const tokens = fc.array(
  fc.oneof(
    fc.constantFrom("{", "}", "[", "]", ",", ":", '"', "\\", "\\u12", "-", "0", "1.5e+3", "tru", "true", "null", " ", "\n", "\ufeff"),
    member.map((name) => `"${name}"`),
    fc.string({ maxLength: 3, unit: "binary" }),
  ),
  { maxLength: 60 },
);
const text = fc.oneof(
  tokens.map((parts) => parts.join("")),
  fc.json(),
  fc.dictionary(member, fc.oneof(fc.webUrl(), fc.domain(), fc.anything())).map((value) => JSON.stringify(value)),
);
const input = fc.oneof(
  text.map((value) => new TextEncoder().encode(value)),
  fc.uint8Array({ maxLength: 200 }),
);

describe("the parser of cloud files", () => {
  test("never throws, and gives nothing but addresses that the file could name", () => {
    fc.assert(
      fc.property(input, (bytes) => {
        const parsed = parseCloudFile(bytes, "AzureStackCloud");
        if (!parsed.ok) return assert.ok(parsed.error.length > 0 && parsed.error.length < 300, parsed.error);
        const { vaultSuffix, authorityHost, scope } = parsed.value;
        assert.equal(new URL(`https://demo.${vaultSuffix}/`).pathname, "/");
        for (const address of [authorityHost, scope]) {
          const { protocol, username, search, hash } = new URL(address);
          assert.deepEqual({ protocol, username, search, hash }, { protocol: "https:", username: "", search: "", hash: "" });
        }
        return undefined;
      }),
      { numRuns: 3_000 },
    );
  });

  for (const [what, contents] of [
    ["open brackets", "[".repeat(MIB)],
    ["nested objects", '{"a":'.repeat(MIB / 5)],
    ["one long string", `{"name":"${"\\u0041".repeat(MIB / 6 - 4)}"}`],
    ["numbers", `[${"1,".repeat(MIB / 2 - 2)}1]`],
    ["one long number", "1".repeat(MIB)],
    ["spaces", " ".repeat(MIB)],
    ["members", `{${'"name":"x",'.repeat(MIB / 12)}"name":"x"}`],
    ["one long host", `{"keyVaultDNSSuffix":"${"a-".repeat(MIB / 2 - 20)}"}`],
    ["one long address", `{"keyVaultDNSSuffix":"a","activeDirectoryEndpoint":"https://a${"/a".repeat(MIB / 2 - 40)}!"}`],
    ["slashes", `{"keyVaultDNSSuffix":"a","activeDirectoryEndpoint":"https://a${"/".repeat(MIB - 80)}!"}`],
  ] as const) {
    test(`ends on 1 MiB of ${what}`, { timeout: SLOWEST_MS }, () => {
      const bytes = new TextEncoder().encode(contents);
      assert.ok(bytes.length > MIB * 0.9 && bytes.length <= MIB, `${bytes.length} bytes`);
      assert.equal(typeof parseCloudFile(bytes, "AzureStackCloud").ok, "boolean");
    });
  }

  test("does not look at more than 1 MiB", () => {
    assert.deepEqual(parseCloudFile(new Uint8Array(MIB + 1), "x"), { ok: false, error: "the file is larger than 1048576 bytes" });
  });
});
