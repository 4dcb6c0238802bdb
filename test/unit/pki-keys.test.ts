import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, test } from "node:test";

import type { PublicJwk } from "../../src/domain/ports/vault-object.ts";
import { decodePem } from "../../src/pki/pem.ts";
import { readPrivateKey } from "../../src/pki/private-key.ts";
import { encodePublicKey } from "../../src/pki/public-key.ts";
import { OPENSSL_MISSING, Workshop } from "../support/fixtures/openssl.ts";

const CURVES = { "P-256": 32, "P-384": 48, "P-521": 66 } as const;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = Object.fromEntries(Object.keys(CURVES).map((namedCurve) => [namedCurve, generateKeyPairSync("ec", { namedCurve })]));

const der = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1") => key.export({ format: "der", type } as { format: "der"; type: "pkcs8" });

function encodings(bytes: Uint8Array): { readonly traditional: string; readonly pkcs8: string; readonly kind: string } {
  const key = readPrivateKey(bytes);
  assert.ok(key !== undefined && key.kind !== "other");
  const hex = (part: Uint8Array) => Buffer.from(part).toString("hex");
  return { kind: key.kind, traditional: hex(key.traditional), pkcs8: hex(key.pkcs8) };
}

const expected = (kind: "rsa" | "ec", key: KeyObject) => ({
  kind,
  traditional: der(key, kind === "rsa" ? "pkcs1" : "sec1").toString("hex"),
  pkcs8: der(key, "pkcs8").toString("hex"),
});

describe("a private key", () => {
  test("of RSA is read from PKCS#1 and from PKCS#8, and written as both", () => {
    for (const type of ["pkcs1", "pkcs8"] as const) {
      assert.deepEqual(encodings(der(rsa.privateKey, type)), expected("rsa", rsa.privateKey));
    }
  });

  for (const [curve, { privateKey }] of Object.entries(ec)) {
    test(`on ${curve} is read from SEC 1 and from PKCS#8, and written as both`, () => {
      for (const type of ["sec1", "pkcs8"] as const) assert.deepEqual(encodings(der(privateKey, type)), expected("ec", privateKey));
    });
  }

  test("gets its public half, and the zeros that its number lacks", () => {
    // SEC 1 on P-256 with the private key 1 in one byte, without the public key.
    const bare = Buffer.from("3012020101040101a00a06082a8648ce3d030107", "hex");
    const { traditional } = encodings(bare);
    const key = createPrivateKey({ key: Buffer.from(traditional, "hex"), format: "der", type: "sec1" });
    assert.equal(key.export({ format: "jwk" }).d, Buffer.concat([Buffer.alloc(31), Buffer.of(1)]).toString("base64url"));
    assert.match(traditional, /a144034200046b17d1f2e12c4247f8bce6e563a440f2/);
  });

  test("is read where Go does not look: any version of PKCS#1 up to 1, and the length around the public half", () => {
    const bytes = der(rsa.privateKey, "pkcs1");
    for (const version of [0x01, 0x80]) {
      const odd = Buffer.from(bytes);
      odd[odd.indexOf(Buffer.from("020100", "hex")) + 2] = version;
      assert.deepEqual(encodings(odd), expected("rsa", rsa.privateKey));
    }
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const sec1 = der(privateKey, "sec1");
    const odd = Buffer.from(sec1);
    odd[odd.indexOf(Buffer.from("a144", "hex")) + 1] = 0x43;
    assert.deepEqual(encodings(odd), expected("ec", privateKey));
  });

  test("is not read where something else than the algorithm stands in its place", () => {
    const odd = Buffer.from(der(rsa.privateKey, "pkcs8"));
    odd[odd.indexOf(Buffer.from("300d0609", "hex"))] = 0xb0;
    assert.equal(readPrivateKey(odd), undefined);
  });

  test("that is Ed25519 or X25519 is known, and of no use", () => {
    for (const type of ["ed25519", "x25519"] as const) {
      const { privateKey } = generateKeyPairSync(type as "ed25519");
      assert.deepEqual(readPrivateKey(der(privateKey, "pkcs8")), { kind: "other" });
    }
  });

  test("is not read where it is broken, on an unknown curve, or no key", () => {
    const good = der(rsa.privateKey, "pkcs1");
    const inconsistent = Buffer.from(good);
    inconsistent[40] = (inconsistent[40] ?? 0) ^ 1;
    const { privateKey: unknown } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
    const bad = {
      empty: Buffer.alloc(0),
      cut: good.subarray(0, 100),
      "with a tail": Buffer.concat([good, Buffer.of(0)]),
      inconsistent,
      "on secp256k1": der(unknown, "sec1"),
      "public key": rsa.publicKey.export({ format: "der", type: "spki" }),
    };
    for (const [what, bytes] of Object.entries(bad)) assert.equal(readPrivateKey(bytes), undefined, what);
  });

  test("is the same key to OpenSSL", { skip: OPENSSL_MISSING }, () => {
    const workshop = new Workshop();
    try {
      for (const kind of ["rsa", "P-256", "P-384", "P-521"] as const) {
        const { key } = workshop.issue(kind, kind);
        const [block = assert.fail()] = decodePem(Buffer.from(key)).blocks;
        const { pkcs8, traditional } = encodings(block.der);
        const asTraditional = workshop.run(["pkey", "-outform", "DER", "-traditional"], key);
        assert.equal(traditional, asTraditional.toString("hex"), kind);
        assert.equal(pkcs8, workshop.run(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], key).toString("hex"), kind);
      }
    } finally {
      workshop.remove();
    }
  });
});

const number = (text: string | undefined) => Buffer.from(text ?? "", "base64url");

function jwkOf(key: KeyObject, changes: Partial<PublicJwk> = {}): PublicJwk {
  const { kty = "", n, e, crv, x, y } = key.export({ format: "jwk" });
  return { kty, n: number(n), e: number(e), crv, x: number(x), y: number(y), ...changes };
}

function spki(jwk: PublicJwk): string {
  const encoded = encodePublicKey(jwk);
  assert.ok(encoded.ok, JSON.stringify(encoded));
  return Buffer.from(encoded.value).toString("hex");
}

describe("a public key of the vault", () => {
  test("becomes a SubjectPublicKeyInfo, in hardware or not", () => {
    for (const [kty, pair] of [["RSA", rsa] as const, ...Object.values(ec).map((pair) => ["EC", pair] as const)]) {
      for (const type of [kty, `${kty}-HSM`]) {
        const wanted = pair.publicKey.export({ format: "der", type: "spki" }).toString("hex");
        assert.equal(spki(jwkOf(pair.publicKey, { kty: type })), wanted);
      }
    }
  });

  test("may have numbers with too many or too few zeros", () => {
    const { publicKey } = rsa;
    const n = Buffer.concat([Buffer.alloc(3), number(publicKey.export({ format: "jwk" }).n)]);
    assert.equal(spki(jwkOf(publicKey, { n })), spki(jwkOf(publicKey)));
    const point = createPublicKey({ key: { kty: "EC", crv: "P-256", ...pointWithShortX() }, format: "jwk" });
    const { x } = point.export({ format: "jwk" });
    assert.equal(number(x)[0], 0);
    assert.equal(spki(jwkOf(point, { x: number(x).subarray(1) })), spki(jwkOf(point)));
  });

  for (const [changes, message] of [
    [{ kty: "oct" }, "failed to get key. key type 'oct' currently not supported"],
    [{ kty: "EC", crv: "P-256K" }, "curve P-256K is not supported"],
    [{ kty: "EC", crv: "P-256", x: Buffer.of(1), y: Buffer.of(1) }, "x509: invalid elliptic curve public key"],
    [{ kty: "EC", crv: "P-256", x: Buffer.alloc(33, 1), y: Buffer.of(1) }, "x509: invalid elliptic curve public key"],
    [{ kty: "RSA", n: undefined }, "x509: invalid RSA public key"],
  ] as const satisfies readonly (readonly [Partial<PublicJwk>, string])[]) {
    test(`is refused: ${message}`, () => {
      assert.deepEqual(encodePublicKey(jwkOf(rsa.publicKey, changes)), { ok: false, error: message });
    });
  }
});

/** Returns a point whose x-coordinate begins with a zero byte: one point in 256 has such an x. */
function pointWithShortX(): { readonly x: string; readonly y: string } {
  for (;;) {
    const { x = "", y = "" } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
    if (number(x)[0] === 0) return { x, y };
  }
}
