import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { renderSecret } from "../../src/domain/content/render.ts";
import type { ObjectVersion } from "../../src/domain/content/version-history.ts";
import { decodeBase64, decodeHex } from "../../src/domain/encodings.ts";
import type { VaultSecret } from "../../src/domain/ports/vault-object.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";

const OPTIONS = { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false };

function anObject(changes: Partial<ObjectVersion> = {}): ObjectVersion {
  return {
    type: "secret",
    name: "DemoSecret",
    version: undefined,
    history: 0,
    path: "DemoSecret",
    format: "pem",
    encoding: "utf-8",
    filePermission: "",
    index: undefined,
    ...changes,
  };
}

function aSecret(text: string, changes: Partial<VaultSecret> = {}): VaultSecret {
  const nothing = { contentType: undefined, keyId: undefined, updated: undefined, expires: undefined, notBefore: undefined };
  return { value: Sensitive.ofText(text), version: "52e13000000000000000000000000000", ...nothing, ...changes };
}

function textOf(object: ObjectVersion, secret: VaultSecret): string {
  const rendered = renderSecret(object, secret, OPTIONS);
  assert.ok(rendered.ok, JSON.stringify(rendered));
  assert.equal(rendered.value.length, 1);
  return Buffer.from(rendered.value[0]?.contents.reveal() ?? []).toString("latin1");
}

describe("the file of a secret", () => {
  test("has the value as it is, whatever its content type, under its name or alias", () => {
    assert.equal(textOf(anObject(), aSecret("a \r\n", { contentType: "application/x-pkcs12" })), "a \r\n");
    const rendered = renderSecret(anObject({ path: "db/password" }), aSecret("x", { updated: 1, expires: 2 }), OPTIONS);
    assert.ok(rendered.ok);
    const [{ contents, ...facts } = assert.fail()] = rendered.value;
    assert.equal(contents.byteLength, 1);
    const version = "52e13000000000000000000000000000";
    assert.deepEqual(facts, { path: "db/password", objectId: "secret/DemoSecret", version, updated: 1, expires: 2, notBefore: undefined });
  });

  test("has decoded bytes where the class says how the value is encoded", () => {
    assert.equal(textOf(anObject({ encoding: "base64" }), aSecret("AP8K\n")), "\u0000\u00ff\n");
    assert.equal(textOf(anObject({ encoding: "hex" }), aSecret("00fF0a")), "\u0000\u00ff\n");
    assert.equal(textOf(anObject({ encoding: "base64" }), aSecret("")), "");
  });

  test("is refused where the value is not so encoded, without a word of the value", () => {
    const secret = "c2Vj!canary-canary";
    for (const [encoding, message] of [
      ["base64", "illegal base64 data at input byte 4"],
      ["hex", "encoding/hex: invalid byte at input byte 2"],
    ] as const) {
      const rendered = renderSecret(anObject({ encoding }), aSecret(secret), OPTIONS);
      assert.ok(!rendered.ok);
      assert.equal(rendered.error.message, message);
      assert.equal(rendered.error.objectId, "secret/DemoSecret");
      assert.doesNotMatch(inspect(rendered, { depth: 9, showHidden: true }), /canary/);
    }
  });
});

/** Measured with Go's encoding/base64 (StdEncoding) and encoding/hex. */
describe("strict decoding", () => {
  for (const [text, expected] of [
    ["", ""],
    ["aGk=", "6869"],
    ["aG\nk\r=", "6869"],
    ["aA==", "68"],
    ["aA=\n=", "68"],
    ["aGk", "illegal base64 data at input byte 0"],
    ["aGkh\naA", "illegal base64 data at input byte 5"],
    ["aGk=aGk=", "illegal base64 data at input byte 4"],
    ["aA=A", "illegal base64 data at input byte 2"],
    ["aA=", "illegal base64 data at input byte 3"],
    ["=", "illegal base64 data at input byte 0"],
    ["a===", "illegal base64 data at input byte 1"],
    ["aGk_", "illegal base64 data at input byte 3"],
    ["aGk ", "illegal base64 data at input byte 3"],
  ] as const) {
    test(`of base64 ${JSON.stringify(text)} gives ${JSON.stringify(expected)}`, () => {
      const decoded = decodeBase64(Buffer.from(text));
      assert.equal(decoded.ok ? Buffer.from(decoded.value).toString("hex") : decoded.error, expected);
    });
  }

  for (const [text, expected] of [
    ["00fF", "00ff"],
    ["0", "encoding/hex: odd length hex string"],
    ["0g", "encoding/hex: invalid byte at input byte 1"],
    ["00 ", "encoding/hex: invalid byte at input byte 2"],
  ] as const) {
    test(`of hex ${JSON.stringify(text)} gives ${JSON.stringify(expected)}`, () => {
      const decoded = decodeHex(Buffer.from(text));
      assert.equal(decoded.ok ? Buffer.from(decoded.value).toString("hex") : decoded.error, expected);
    });
  }
});
