import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { issuerOf } from "../../src/azure/assertion-issuer.ts";
import { tokenOf } from "../../src/kube/client.ts";

const RUNS = { numRuns: 500 };
const encode = (claims: unknown): string => Buffer.from(JSON.stringify(claims) ?? "").toString("base64url");

/** Values that resemble tokens, but are not tokens. */
const nearlyTokens = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.string(), { maxLength: 6 }).map((parts) => parts.join(".")),
  fc.tuple(fc.string(), fc.json(), fc.string()).map(([head, claims, end]) => `${head}.${Buffer.from(claims).toString("base64url")}.${end}`),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => `a.${Buffer.from(bytes).toString("base64url")}.c`),
);

describe("the issuer of a token", () => {
  test("is read from any token that names an address", () => {
    const issuers = fc.webUrl({ validSchemes: ["https"] }).filter((url) => /^[\w.~:/%@-]{1,300}$/.test(url));
    fc.assert(
      fc.property(issuers, fc.dictionary(fc.string(), fc.jsonValue()), (iss, others) => {
        assert.equal(issuerOf(`head.${encode({ ...others, iss })}.signature`), iss);
      }),
      RUNS,
    );
  });

  test("is undefined or a plain address for whatever else, and nothing is thrown", () => {
    fc.assert(
      fc.property(nearlyTokens, (text) => {
        const issuer = issuerOf(text);
        assert.ok(issuer === undefined || /^https?:\/\/[\w.~:/%@-]+$/.test(issuer));
      }),
      RUNS,
    );
  });

  for (const iss of [
    "no address",
    "https://a b",
    "https://a\nb",
    "https://x\u202ey",
    `https://${"a".repeat(400)}`,
    5,
    null,
    ["https://a"],
  ]) {
    test(`${JSON.stringify(iss).slice(0, 30)} is not shown`, () => assert.equal(issuerOf(`h.${encode({ iss })}.s`), undefined));
  }

  test("of 1 MiB of anything is undefined", () => {
    for (const filler of [".", "a", "e.", "\u0000"]) assert.equal(issuerOf(filler.repeat(1_048_576 / filler.length)), undefined);
    assert.equal(issuerOf(`h.${encode({ iss: "https://a", more: "x".repeat(1_048_576) })}.s`), undefined);
  });
});

describe("the token in an answer of the API server", () => {
  test("is read from any answer that holds one, and does not show itself", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.dictionary(fc.string(), fc.jsonValue()), (token, others) => {
        const found = tokenOf(JSON.stringify({ ...others, status: { ...others, token } }));
        assert.deepEqual(found?.reveal(), new TextEncoder().encode(token));
        assert.equal(JSON.stringify(found), '"[redacted]"');
      }),
      RUNS,
    );
  });

  test("is undefined for whatever else, and nothing is thrown", () => {
    const answers = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.jsonValue().map((status) => JSON.stringify({ status })),
      fc.jsonValue().map((token) => JSON.stringify({ status: { token: [token] } })),
    );
    fc.assert(
      fc.property(answers, (body) => assert.equal(tokenOf(body), undefined)),
      RUNS,
    );
  });

  test("of 1 MiB of anything is undefined", () => {
    for (const filler of ["[", "{", '{"status":', "a"]) assert.equal(tokenOf(filler.repeat(1_048_576 / filler.length)), undefined);
  });
});
