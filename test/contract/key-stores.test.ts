import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type KeyStoreInput, undecodable } from "../../src/domain/ports/pki.ts";
import type { Result } from "../../src/domain/result.ts";
import { pki } from "../../src/pki/pki.ts";
import { encodeJksTrustStore } from "../../src/pki/stores/jks-trust-store.ts";
import { encodePkcs12TrustStore } from "../../src/pki/stores/pkcs12-stores.ts";
import { KEYTOOL_MISSING, Keytool } from "../support/fixtures/keytool.ts";
import { OPENSSL_MISSING, Workshop } from "../support/fixtures/openssl.ts";
import { KEY_SPECS, type KeyName, makeStoreMaterial, type StoreMaterial, saltsFor } from "../support/fixtures/store-material.ts";

const PASSWORD = "changeit";
const NAMES = Object.keys(KEY_SPECS) as KeyName[];

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function written(store: Result<Uint8Array, string>): Uint8Array {
  assert.ok(store.ok, JSON.stringify(store));
  return store.value;
}

let materials: ReadonlyMap<KeyName, StoreMaterial>;

before(async () => {
  materials = new Map(await Promise.all(NAMES.map(async (name) => [name, await makeStoreMaterial(name, 2)] as const)));
});

function inputOf(name: KeyName, password = PASSWORD): KeyStoreInput {
  const material = materials.get(name) ?? assert.fail();
  return { ...material, password, saltOf: saltsFor({ ...material, password }) };
}

/** Certificates, then keys as PKCS#8, each as hex. */
function partsOf(store: Uint8Array, password = PASSWORD): { readonly certificates: readonly string[]; readonly keys: readonly string[] } {
  const decoded = pki.decodePkcs12(store, undefined, password);
  assert.ok(decoded.ok, JSON.stringify(decoded));
  const [certificates, keys] = [true, false].map((isCertificate) =>
    decoded.value.filter(({ type }) => (type === "CERTIFICATE") === isCertificate).map(({ der }) => der),
  );
  const pkcs8 = (keys ?? []).map((der) => {
    const key = pki.readPrivateKey(der);
    return hex(key === undefined || key.kind === "other" ? assert.fail() : key.pkcs8);
  });
  return { certificates: (certificates ?? []).map(hex), keys: pkcs8 };
}

const expectedParts = ({ certificates, key }: StoreMaterial) => ({ certificates: certificates.map(hex), keys: [hex(key)] });

describe("OpenSSL", { skip: OPENSSL_MISSING }, () => {
  let workshop: Workshop;
  before(() => {
    workshop = new Workshop();
  });
  after(() => workshop.remove());

  const open = (store: Uint8Array, password: string, more: readonly string[] = []) => {
    const text = workshop.run(["pkcs12", "-nodes", "-passin", `pass:${password}`, ...more], store);
    const ders = (isCertificate: boolean) =>
      pki
        .decodePem(text)
        .blocks.filter(({ type }) => (type === "CERTIFICATE") === isCertificate)
        .map(({ der }) => hex(der));
    return { certificates: ders(true), keys: ders(false) };
  };

  for (const name of NAMES) {
    test(`opens a key store: ${name}`, () => {
      const input = inputOf(name);
      assert.deepEqual(open(written(pki.encodePkcs12(input)), PASSWORD), expectedParts(input));
    });
  }

  test("opens stores whose password is beyond ASCII", () => {
    const input = inputOf("P-256", "pässwörd 密码 😀");
    assert.deepEqual(open(written(pki.encodePkcs12(input)), input.password), expectedParts(input));
  });

  test("opens a trust store", () => {
    const input = inputOf("P-256");
    assert.deepEqual(open(written(pki.encodePkcs12TrustStore(input)), PASSWORD), { ...expectedParts(input), keys: [] });
  });

  test("sees AES-256 and 2,048 rounds over SHA-256 in a key store", () => {
    const info = workshop.notes(["pkcs12", "-noout", "-info", "-passin", `pass:${PASSWORD}`], written(pki.encodePkcs12(inputOf("P-256"))));
    assert.deepEqual(info.trimEnd().split("\n"), [
      "MAC: sha256, Iteration 2048",
      "MAC length: 32, salt length: 16",
      "PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256",
      "Certificate bag",
      "Certificate bag",
      "Certificate bag",
      "PKCS7 Data",
      "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256",
    ]);
  });

  test("refuses a store with another password, or with a byte changed", () => {
    const store = Buffer.from(written(pki.encodePkcs12(inputOf("P-256"))));
    assert.throws(() => open(store, "changeat"), /Mac verify error: invalid password\?/);
    store[200] = (store[200] ?? 0) ^ 1;
    assert.throws(() => open(store, PASSWORD), /Mac verify error: invalid password\?/);
  });
});

describe("keytool", { skip: KEYTOOL_MISSING }, () => {
  let keytool: Keytool;
  before(() => {
    keytool = new Keytool();
  });
  after(() => keytool.remove());

  const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, value = ""]) => value);
  const fingerprints = (ders: readonly Uint8Array[]) => ders.map((der) => new X509Certificate(der).fingerprint256);

  const shown = (listing: string) => ({
    aliases: found(listing, /^Alias name: (.*)$/gm).sort(),
    kinds: found(listing, /^Entry type: (.*)$/gm),
    fingerprints: found(listing, /^\s*SHA256: (.*)$/gm).sort(),
  });

  test("lists a key store as one key with its chain", () => {
    const input = inputOf("P-256");
    keytool.write("key.p12", written(pki.encodePkcs12(input)));
    const listing = keytool.list({ name: "key.p12", password: PASSWORD });
    assert.deepEqual(shown(listing), {
      aliases: ["1"],
      kinds: ["PrivateKeyEntry"],
      fingerprints: fingerprints(input.certificates).sort(),
    });
    assert.match(listing, /^Certificate chain length: 3$/m);
  });

  for (const name of ["RSA 2048", "P-521"] as const) {
    test(`takes a key store over into one of its own, which our reader opens: ${name}`, () => {
      const input = inputOf(name);
      keytool.write(`${name}.p12`, written(pki.encodePkcs12(input)));
      keytool.import({ name: `${name}.p12`, password: PASSWORD }, { name: `${name} by Java.p12`, password: "another" });
      assert.deepEqual(partsOf(keytool.read(`${name} by Java.p12`), "another"), expectedParts(input));
    });
  }

  for (const [format, encode] of [
    ["PKCS12", encodePkcs12TrustStore],
    ["JKS", encodeJksTrustStore],
  ] as const) {
    test(`lists a trust store in ${format} as certificates that it trusts`, () => {
      const input = inputOf("RSA 2048");
      keytool.write(`trust.${format}`, written(encode(input)));
      const listing = keytool.list({ name: `trust.${format}`, password: PASSWORD });
      assert.match(listing, new RegExp(`^Keystore type: ${format}$`, "m"));
      assert.deepEqual(shown(listing), {
        aliases: ["1", "2", "3"],
        kinds: ["trustedCertEntry", "trustedCertEntry", "trustedCertEntry"],
        fingerprints: fingerprints(input.certificates).sort(),
      });
    });

    test(`refuses a trust store in ${format} with another password, or with a byte changed`, () => {
      const store = Buffer.from(written(encode(inputOf("P-256"))));
      keytool.write(`whole.${format}`, store);
      assert.throws(() => keytool.list({ name: `whole.${format}`, password: "changeat" }), /password was incorrect/);
      store[200] = (store[200] ?? 0) ^ 1;
      keytool.write(`changed.${format}`, store);
      assert.throws(() => keytool.list({ name: `changed.${format}`, password: PASSWORD }), /keytool error: java\./);
    });
  }

  test("dates an entry of a JKS store by its certificate", () => {
    keytool.write("dated.jks", written(pki.encodeJksTrustStore(inputOf("P-256"))));
    const dates = found(keytool.list({ name: "dated.jks", password: PASSWORD }), /^Creation date: (.*)$/gm);
    assert.deepEqual(dates, ["Jan 2, 2026", "Jan 2, 2026", "Jan 2, 2026"]);
  });

  test("opens a JKS store whose password is beyond ASCII, and a PKCS#12 store not, as with OpenSSL's", () => {
    const input = inputOf("P-256", "pässwörd");
    keytool.write("beyond.jks", written(pki.encodeJksTrustStore(input)));
    assert.deepEqual(shown(keytool.list({ name: "beyond.jks", password: "pässwörd" })).aliases, ["1", "2", "3"]);
    keytool.write("beyond.p12", written(pki.encodePkcs12TrustStore(input)));
    assert.throws(() => keytool.list({ name: "beyond.p12", password: "pässwörd" }), /keystore password was incorrect/);
  });

  test("makes a key store that our reader opens by its password alone", () => {
    const key = ["-genkeypair", "-alias", "own", "-keyalg", "EC", "-dname", "CN=own"];
    keytool.run([...key, "-keystore", "own.p12", "-storetype", "PKCS12", "-storepass", PASSWORD]);
    const { certificates, keys } = partsOf(keytool.read("own.p12"));
    assert.equal(certificates.length, 1);
    assert.equal(keys.length, 1);
    assert.deepEqual(pki.decodePkcs12(keytool.read("own.p12"), undefined, "another"), undecodable("pkcs12: decryption password incorrect"));
  });
});
