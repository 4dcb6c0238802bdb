/** A value in the vault that is not a certificate may be a password: the message about it is the same for every value. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildSecrets } from "../../src/domain/secret-objects/build.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { randomFrom } from "../support/fixtures/random.ts";

function messageOf(value: string, key: "tls.crt" | "tls.key"): string {
  const contents = new Sensitive(new TextEncoder().encode(value));
  const object = { secretName: "s", type: "kubernetes.io/tls", data: [{ objectName: "db", key }] };
  const [result] = buildSecrets(
    [object],
    [{ path: "db", contents, objectId: "secret/db", version: "v1", updated: undefined, expires: undefined }],
    pki,
  );
  assert.ok(result !== undefined && result.kind !== "desired", "no certificate");
  return result.problem.message;
}

/** Without the character 0, which is the first byte of DER. The message about a value that begins with it is that the value is cut off. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~ ";

describe("A19-3: the message about a value that is no certificate", () => {
  for (const key of ["tls.crt", "tls.key"] as const)
    test(`is the same for every password (${key})`, () => {
      const random = randomFrom(20_261_201);
      const passwords = Array.from({ length: 500 }, () =>
        Array.from({ length: 4 + random.integer(0, 60) }, () => random.pick(ALPHABET.split(""))).join(""),
      );
      assert.equal(new Set(passwords.map((password) => messageOf(password, key))).size, 1);
    });

  test("is the same for every password behind a PEM block", () => {
    const block = "-----BEGIN A-----\nAAAA\n-----END A-----\n";
    const messages = ["hunter2", "Passw0rd", "_password", "~~~~~~~"].map((password) => messageOf(`${block}${password}`, "tls.crt"));
    assert.equal(new Set(messages).size, 1, messages.join("\n"));
  });

  test("is another one for what is cut off: the control", () => {
    assert.notEqual(messageOf("", "tls.crt"), messageOf("hunter2", "tls.crt"));
  });
});
