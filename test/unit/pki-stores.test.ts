import assert from "node:assert/strict";
import { generateKeyPairSync, hash } from "node:crypto";
import { before, describe, test } from "node:test";
import { type KeyStoreInput, type SaltOf, type SaltPurpose, undecodable } from "../../src/domain/ports/pki.ts";
import type { Result } from "../../src/domain/result.ts";
import { pki } from "../../src/pki/pki.ts";
import { KEY_SPECS, type KeyName, makeStoreMaterial, type StoreMaterial, saltsFor } from "../support/fixtures/store-material.ts";

const PASSWORD = "canary-password";
const NAMES = Object.keys(KEY_SPECS) as KeyName[];

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const sha256 = (bytes: Uint8Array) => hash("sha256", bytes, "hex");

function written(store: Result<Uint8Array, string>): Uint8Array {
  assert.ok(store.ok, JSON.stringify(store));
  return store.value;
}

function pem(type: string, der: Uint8Array): string {
  return Buffer.from(pki.encodePem({ type, headers: new Map(), der })).toString();
}

/** Returns the parts of a store as PEM without headers, with keys as PKCS#8. */
function pemsOf(store: Uint8Array, password = PASSWORD): readonly string[] {
  const decoded = pki.decodePkcs12(store, undefined, password);
  assert.ok(decoded.ok, JSON.stringify(decoded));
  return decoded.value.map(({ type, der }) => {
    if (type === "CERTIFICATE") return pem(type, der);
    const key = pki.readPrivateKey(der);
    return pem(type, key === undefined || key.kind === "other" ? assert.fail() : key.pkcs8);
  });
}

const inputOf = (material: StoreMaterial, password = PASSWORD): KeyStoreInput => ({
  ...material,
  password,
  saltOf: saltsFor({ ...material, password }),
});

let materials: ReadonlyMap<KeyName, StoreMaterial>;
const materialOf = (name: KeyName): StoreMaterial => materials.get(name) ?? assert.fail();

before(async () => {
  materials = new Map(await Promise.all(NAMES.map(async (name) => [name, await makeStoreMaterial(name, 2)] as const)));
});

describe("a PKCS#12 key store", () => {
  for (const name of NAMES) {
    test(`is read back to the same PEM: ${name}`, () => {
      const { certificates, key } = materialOf(name);
      const store = written(pki.encodePkcs12(inputOf(materialOf(name))));
      assert.deepEqual(pemsOf(store), [...certificates.map((der) => pem("CERTIFICATE", der)), pem("PRIVATE KEY", key)]);
    });
  }

  test("links the key to its certificate alone, under the alias 1", () => {
    const { certificates } = materialOf("P-256");
    const decoded = pki.decodePkcs12(written(pki.encodePkcs12(inputOf(materialOf("P-256")))), undefined, PASSWORD);
    const link = { friendlyName: "1", localKeyId: hash("sha1", certificates[0] ?? assert.fail(), "hex") };
    assert.deepEqual(decoded.ok && decoded.value.map(({ headers }) => Object.fromEntries(headers)), [link, {}, {}, link]);
  });

  test("takes the key in any encoding that is read, and writes the same", () => {
    const input = inputOf(materialOf("P-256"));
    const key = pki.readPrivateKey(input.key);
    const sec1 = key === undefined || key.kind === "other" ? assert.fail() : key.traditional;
    assert.notEqual(hex(sec1), hex(input.key));
    assert.deepEqual(pki.encodePkcs12({ ...input, key: sec1 }), pki.encodePkcs12(input));
  });

  test("asks for five salts, each by its purpose, and draws nothing itself", () => {
    const asked: SaltPurpose[] = [];
    const saltOf: SaltOf = (purpose) => {
      asked.push(purpose);
      return hash("sha256", purpose, "buffer");
    };
    const store = Buffer.from(written(pki.encodePkcs12({ ...inputOf(materialOf("P-256")), saltOf })));
    assert.deepEqual(asked, ["certificates salt", "certificates vector", "key salt", "key vector", "mac salt"]);
    for (const purpose of asked) assert.notEqual(store.indexOf(hash("sha256", purpose, "buffer").subarray(0, 16)), -1, purpose);
  });

  test("of the same input has the same bytes, and of another password, key or certificate other salts", () => {
    const [one, other] = [materialOf("P-256"), materialOf("P-384")];
    const stores = [
      inputOf(one),
      inputOf(one, `${PASSWORD}2`),
      inputOf({ ...one, certificates: one.certificates.slice(0, 2) }),
      inputOf(other),
    ];
    for (const input of stores) assert.deepEqual(pki.encodePkcs12(input), pki.encodePkcs12(input));
    const macSalts = stores.map((input) => hex(written(pki.encodePkcs12(input)).slice(-20, -4)));
    assert.equal(new Set(macSalts).size, stores.length);
  });

  test("is not opened by another password, and the error holds neither", () => {
    const store = written(pki.encodePkcs12(inputOf(materialOf("P-256"))));
    for (const wrong of ["canary-passwore", "", undefined]) {
      assert.deepEqual(pki.decodePkcs12(store, undefined, wrong), undecodable("pkcs12: decryption password incorrect"));
    }
  });

  test("has a password of any script", () => {
    for (const password of ["pässwörd", "пароль", "密码", "😀", " ", "a".repeat(200)]) {
      assert.equal(pemsOf(written(pki.encodePkcs12(inputOf(materialOf("P-256"), password))), password).length, 4, password);
    }
  });
});

describe("a trust store", () => {
  test("in PKCS#12 is read back to the same PEM, with numbers as names", () => {
    const input = inputOf(materialOf("RSA 2048"));
    const store = written(pki.encodePkcs12TrustStore(input));
    assert.deepEqual(
      pemsOf(store),
      input.certificates.map((der) => pem("CERTIFICATE", der)),
    );
    const decoded = pki.decodePkcs12(store, undefined, PASSWORD);
    assert.deepEqual(decoded.ok && decoded.value.map(({ headers }) => headers.get("friendlyName")), ["1", "2", "3"]);
  });

  test("in JKS has each certificate with its number, its notBefore and itself, and a digest over all of it", () => {
    const { certificates } = materialOf("P-256");
    const store = Buffer.from(written(pki.encodeJksTrustStore({ certificates, password: "pä" })));
    const date = Buffer.alloc(8);
    date.writeBigInt64BE(BigInt(Date.parse("2026-01-02T03:04:05Z")));
    const entries = certificates.map((der, index) => {
      const length = der.length.toString(16).padStart(8, "0");
      return `000000020001${hex(Buffer.from(String(index + 1)))}${hex(date)}0005${hex(Buffer.from("X.509"))}${length}${hex(der)}`;
    });
    const content = Buffer.from(`feedfeed0000000200000003${entries.join("")}`, "hex");
    assert.equal(hex(store.subarray(0, -20)), hex(content));
    const digested = Buffer.concat([Buffer.from("007000e4", "hex"), Buffer.from("Mighty Aphrodite"), content]);
    assert.equal(hex(store.subarray(-20)), hash("sha1", digested, "hex"));
  });

  test("of the same input has the same bytes", () => {
    const input = inputOf(materialOf("P-256"));
    assert.deepEqual(pki.encodePkcs12TrustStore(input), pki.encodePkcs12TrustStore(input));
    assert.deepEqual(pki.encodeJksTrustStore(input), pki.encodeJksTrustStore(input));
  });
});

describe("the bytes of a store", () => {
  /** SEC 1 on P-256 with the private key 1. */
  const key = Buffer.from("3012020101040101a00a06082a8648ce3d030107", "hex");
  const certificate = Buffer.from(
    "MIIBHzCBxQIUQuHE7TXPMlz61bOCrFnQlDjPMyYwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGc3RvcmVzMCAXDTI2MTEyOTE5MjYxNloYDzIxMjYxMTA1MTky" +
      "NjE2WjARMQ8wDQYDVQQDDAZzdG9yZXMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARrF9Hy4SxCR/i85uVjpEDydwN9gS3rM6D0oTlF2JjClk/jQuL+Gn+b" +
      "jufrSnwPnhYrzjNXazFezsu2QGg3v1H1MAoGCCqGSM49BAMCA0kAMEYCIQC4XQQ4wdwSH+Vgptgh5nQXNtL72G0D9FhAPA6hYpBaJAIhAIn8Scp4HzpI+59A" +
      "wNuWtuUrftJN3zQcsRBH6ZT6bFl6",
    "base64",
  );
  const input: KeyStoreInput = {
    certificates: [certificate],
    key,
    password: PASSWORD,
    saltOf: (purpose) => hash("sha256", purpose, "buffer"),
  };

  test("stay as they are from release to release: others would change every Secret and restart what uses it", () => {
    assert.deepEqual(
      {
        pkcs12: sha256(written(pki.encodePkcs12(input))),
        pkcs12TrustStore: sha256(written(pki.encodePkcs12TrustStore(input))),
        jksTrustStore: sha256(written(pki.encodeJksTrustStore(input))),
      },
      {
        pkcs12: "896e980dfac9e1bd8de5ff7140bd0b7cade13cf919b1cdedcb45d69f94509935",
        pkcs12TrustStore: "4ab5b338ed22e4cafc0d0cb94ab9d316c180f43116e2eb411769b7cc5b6b0d38",
        jksTrustStore: "ceca706d54414e583a4ad3046c583b22aa7956991351988ea3478429a2ad4960",
      },
    );
  });
});

describe("no store is made", () => {
  type Changes = (input: KeyStoreInput) => Partial<KeyStoreInput>;
  type Refused = readonly [what: string, changes: Changes, error: string];
  const of = (changes: Changes) => {
    const input = inputOf(materialOf("P-256"));
    return { ...input, ...changes(input) };
  };
  const errorOf = (store: Result<Uint8Array, string>) => (store.ok ? assert.fail() : store.error);
  /** Changes the second certificate. */
  const second =
    (change: (der: Uint8Array) => Uint8Array): Changes =>
    ({ certificates }) => ({ certificates: certificates.map((der, index) => (index === 1 ? change(der) : der)) });
  const broken = "certificate 2 of 3 is not an X.509 certificate in DER";
  const control = "the password contains a control character, such as a line break at its end. Store it without one";

  /** Refusals that all three encoders share. */
  const refusals: readonly Refused[] = [
    ["without certificates", () => ({ certificates: [] }), "there are no certificates, and a store needs at least one"],
    ["of what is no certificate", second(() => Buffer.of(0x30, 0)), broken],
    ["of a cut certificate", second((der) => der.subarray(0, -1)), broken],
    ["of a certificate with a tail", second((der) => Buffer.concat([der, Buffer.of(0)])), broken],
    ["of a certificate in PEM", second((der) => Buffer.from(pem("CERTIFICATE", der))), broken],
    ["with an empty password", () => ({ password: "" }), "the password is empty, and a store needs one"],
    ["with a line break behind the password", () => ({ password: "canary\n" }), control],
    ["with a zero character in the password", () => ({ password: "a\0b" }), control],
    ["with half a character in the password", () => ({ password: "a\ud800" }), "the password is not well-formed Unicode text"],
  ];
  for (const [what, changes, error] of refusals) {
    test(`${what}: ${error}`, () => {
      assert.equal(errorOf(pki.encodePkcs12(of(changes))), error);
      assert.equal(errorOf(pki.encodePkcs12TrustStore(of(changes))), error);
      assert.equal(errorOf(pki.encodeJksTrustStore(of(changes))), error);
    });
  }

  const unread = "the private key is not in PKCS#8, PKCS#1 or SEC 1, or it is broken";
  const foreign = "the private key does not belong to the first certificate. Put the certificate of the key before those of its issuers";
  const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" });

  const keyRefusals: readonly Refused[] = [
    ["without a key", () => ({ key: new Uint8Array() }), unread],
    ["of a cut key", ({ key }) => ({ key: key.subarray(0, -1) }), unread],
    ["of a key on Ed25519", () => ({ key: ed25519 }), "the private key is neither RSA nor EC"],
    ["of the key of another certificate", () => ({ key: materialOf("P-384").key }), foreign],
    ["of a key of another kind", () => ({ key: materialOf("RSA 2048").key }), foreign],
    ["of a chain that begins with the issuer", ({ certificates }) => ({ certificates: certificates.toReversed() }), foreign],
    ["of short salts", () => ({ saltOf: () => Buffer.alloc(15) }), "the certificates salt has 15 bytes, and 16 are needed"],
  ];
  for (const [what, changes, error] of keyRefusals) {
    test(`${what}: ${error}`, () => assert.equal(errorOf(pki.encodePkcs12(of(changes))), error));
  }

  test("in JKS of a certificate without a date that Java could show", () => {
    const [leaf = assert.fail()] = materialOf("P-256").certificates;
    const odd = Buffer.from(leaf);
    // A UTCTime of 13 characters. The test replaces the first one with a letter.
    odd.write("A", odd.indexOf(Buffer.from("170d", "hex")) + 2);
    const error = "certificate 1 has no date from which it is valid";
    assert.equal(errorOf(pki.encodeJksTrustStore({ certificates: [odd], password: PASSWORD })), error);
  });
});
