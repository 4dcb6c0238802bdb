import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { DerivationBudget } from "../../src/domain/derivation-budget.ts";
import type { DecodingProblem } from "../../src/domain/ports/pki.ts";
import { decodePem } from "../../src/pki/pem.ts";
import { decodePkcs12 } from "../../src/pki/pkcs12.ts";
import { readPrivateKey } from "../../src/pki/private-key.ts";
import { explicit, integer, nullValue, objectId, octetString, sequence } from "../../tools/key-vault-emulator/pki/der.ts";
import { type Issued, type KeyKind, OPENSSL_MISSING, PFX_SETTINGS, type PfxSetting, Workshop } from "../support/fixtures/openssl.ts";

function blocksOf(pfx: Uint8Array, password?: string) {
  const decoded = decodePkcs12(pfx, undefined, password);
  assert.ok(decoded.ok, JSON.stringify(decoded));
  return decoded.value;
}

function errorOf(pfx: Uint8Array, password?: string, code: DecodingProblem["code"] = "Undecodable"): string {
  const decoded = decodePkcs12(pfx, undefined, password);
  assert.ok(!decoded.ok);
  assert.equal(decoded.error.code, code);
  return decoded.error.message;
}

const onlyDer = (pem: string) => Buffer.from(decodePem(Buffer.from(pem)).blocks[0]?.der ?? []).toString("hex");

describe("a PKCS#12 file of OpenSSL", { skip: OPENSSL_MISSING }, () => {
  const kinds: readonly KeyKind[] = ["rsa", "P-256", "P-384", "P-521"];
  const settings = Object.keys(PFX_SETTINGS) as PfxSetting[];
  let workshop: Workshop;
  let root: Issued;
  let leaves: ReadonlyMap<KeyKind, Issued>;
  const leafOf = (kind: KeyKind): Issued => leaves.get(kind) ?? assert.fail();

  before(() => {
    workshop = new Workshop();
    root = workshop.issue("root", "P-256");
    leaves = new Map([...kinds, "ed25519" as const].map((kind) => [kind, workshop.issue(kind, kind, root)]));
  });
  after(() => workshop.remove());

  for (const setting of settings) {
    for (const kind of kinds) {
      test(`gives certificates and key back: ${setting}, ${kind}`, () => {
        const leaf = leafOf(kind);

        const blocks = blocksOf(workshop.pfx(leaf, [root], setting));

        const hex = (type: string) => blocks.filter((block) => block.type === type).map(({ der }) => Buffer.from(der).toString("hex"));
        assert.deepEqual(hex("CERTIFICATE"), [onlyDer(leaf.certificate), onlyDer(root.certificate)]);
        assert.deepEqual(hex("PRIVATE KEY"), [workshop.run(["pkey", "-outform", "DER", "-traditional"], leaf.key).toString("hex")]);
      });
    }
  }

  test("may leave the certificates open", () => {
    assert.equal(blocksOf(workshop.pfx(leafOf("rsa"), [root], "legacy", ["-certpbe", "NONE"])).length, 3);
  });

  test("names its blocks in headers, in any script", () => {
    const [first] = blocksOf(workshop.pfx(leafOf("P-256"), [], "legacy", ["-name", "Zertifikat ä€ж"]));
    const { fingerprint } = new X509Certificate(leafOf("P-256").certificate);
    assert.deepEqual(Object.fromEntries(first?.headers ?? []), {
      friendlyName: "Zertifikat ä€ж",
      localKeyId: fingerprint.replaceAll(":", "").toLowerCase(),
    });
  });

  for (const [what, more, message] of [
    ["with a password", ["-passout", "pass:canary"], "pkcs12: decryption password incorrect"],
    ["without a MAC", ["-nomac"], "pkcs12: no MAC in data"],
    ["with an open key", ["-keypbe", "NONE"], "don't know how to convert a safe bag of type 1.2.840.113549.1.12.10.1.1"],
  ] as const) {
    test(`is refused ${what}, in Go's words`, () => assert.equal(errorOf(workshop.pfx(leafOf("rsa"), [], "legacy", more)), message));
  }

  for (const setting of settings) {
    test(`is opened by its password alone: ${setting}`, () => {
      const pfx = workshop.pfx(leafOf("P-256"), [root], setting, ["-passout", "pass:canary pässwörd €😀"]);

      const ders = blocksOf(pfx, "canary pässwörd €😀").map(({ der }) => Buffer.from(der).toString("hex"));

      const key = workshop.run(["pkey", "-outform", "DER", "-traditional"], leafOf("P-256").key).toString("hex");
      assert.deepEqual(ders, [onlyDer(leafOf("P-256").certificate), onlyDer(root.certificate), key]);
      for (const wrong of ["canary pässwörd €", "canary password", "", undefined]) {
        assert.equal(errorOf(pfx, wrong), "pkcs12: decryption password incorrect");
      }
    });
  }

  test("with the empty password is opened by it, given or not", () => {
    const pfx = workshop.pfx(leafOf("P-256"), [root], "modern");
    assert.deepEqual(blocksOf(pfx, ""), blocksOf(pfx));
    assert.equal(errorOf(pfx, "canary"), "pkcs12: decryption password incorrect");
  });

  test("may hold certificates alone where a password is given; without one it is refused, as Go does", () => {
    const only = ["-export", "-nokeys", "-in", `${root.name}.crt`, "-passout", "pass:"];
    const pfx = workshop.run(["pkcs12", ...only]);
    assert.deepEqual(
      blocksOf(pfx, "").map(({ type, der }) => [type, Buffer.from(der).toString("hex")]),
      [["CERTIFICATE", onlyDer(root.certificate)]],
    );
    assert.equal(errorOf(pfx), "pkcs12: expected exactly two items in the authenticated safe");
  });

  test("with a password takes its rounds from the budget, and is refused before the first where there are too few", () => {
    const pfx = workshop.pfx(leafOf("P-256"), [root], "modern", ["-passout", "pass:canary"]);
    // OpenSSL writes 2,048 rounds: once for the MAC, and twice for each of the two keys.
    const budget = new DerivationBudget(5 * 2_048);
    assert.equal(decodePkcs12(pfx, budget, "canary").ok, true);
    assert.equal(budget.left, 0);
    const small = new DerivationBudget(5 * 2_048 - 1);
    const refused = decodePkcs12(pfx, small, "canary");
    assert.equal(refused.ok ? "" : refused.error.code, "TooManyRounds");
    assert.match(
      refused.ok ? "" : refused.error.message,
      /^pkcs12: the iteration counts are too high: the file requires 10240 rounds of key derivation, /,
    );
    assert.equal(small.left, 5 * 2_048 - 1);
  });

  test("is refused with a key that is neither RSA nor EC", () => {
    assert.equal(errorOf(workshop.pfx(leafOf("ed25519"), [], "legacy")), "found unknown private key type in PKCS#8 wrapping");
  });

  test("is refused where a byte of its content was changed", () => {
    const pfx = workshop.pfx(leafOf("P-256"), [root], "modern");
    for (const at of [100, 400, 800]) {
      const changed = Buffer.from(pfx);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(decodePkcs12(changed).ok, false, String(at));
    }
  });

  test("with 1,000 certificates is read in seconds", { timeout: 20_000 }, () => {
    const pfx = workshop.pfx(
      leafOf("P-256"),
      Array.from({ length: 1_000 }, () => root),
      "legacy",
    );
    assert.equal(blocksOf(pfx).length, 1_002);
  });

  test("holds the keys that OpenSSL finds in it", () => {
    const pfx = workshop.pfx(leafOf("P-384"), [root], "modern");
    const theirs = workshop.run(["pkcs12", "-nodes", "-nocerts", "-passin", "pass:"], pfx).toString();
    const [ours = assert.fail()] = blocksOf(pfx).filter(({ type }) => type === "PRIVATE KEY");
    const key = readPrivateKey(ours.der);
    assert.equal(key?.kind === "ec" && Buffer.from(key.pkcs8).toString("hex"), onlyDer(theirs));
  });
});

/** The messages are measured with Go's x/crypto/pkcs12. The second one reports the tag that Go found in the first bytes. */
describe("what is no PKCS#12 file", () => {
  for (const [text, message] of [
    ["", "asn1: syntax error: sequence truncated"],
    ["MIIKQQIBAzCC", "asn1: structure error: tags don't match (16 expected) pfxPdu"],
    ["0", "asn1: syntax error: truncated tag or length"],
    ["0\u0080", "asn1: syntax error: indefinite length found (not DER)"],
    ["0\u0005abc", "asn1: syntax error: data truncated"],
    ["0\u0000", "asn1: syntax error: sequence truncated"],
  ] as const) {
    test(`is refused: ${JSON.stringify(text)}`, () => {
      assert.equal(errorOf(Buffer.from(text, "latin1")), `pkcs12: error reading P12 data: ${message}`);
    });
  }
});

describe("an iteration count", () => {
  const data = objectId("1.2.840.113549.1.7.1");
  const sha1 = sequence(objectId("1.3.14.3.2.26"), nullValue());

  test("that would take minutes is refused", { timeout: 20_000 }, () => {
    const mac = sequence(sequence(sha1, octetString(Buffer.alloc(20))), octetString(Buffer.alloc(8)), integer(0x7fffffff));
    const pfx = sequence(integer(3), sequence(data, explicit(0, octetString(sequence()))), mac);
    assert.match(
      errorOf(pfx, undefined, "TooManyRounds"),
      /^pkcs12: the iteration counts are too high: the file requires 2147483647 rounds of key derivation, /,
    );
  });
});
