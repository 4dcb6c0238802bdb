import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { dispatch } from "../../tools/key-vault-emulator/cli/dispatch.ts";
import type { Permission } from "../../tools/key-vault-emulator/vault/permissions.ts";
import { EmulatorSetting, textAt } from "./emulator-setting.ts";
import type { SdkCall } from "./sdk-protocol.ts";

let setting: EmulatorSetting;

before(async () => {
  setting = await EmulatorSetting.start();
});

after(() => setting?.stop());

function isListOf(value: unknown, length: number): value is readonly unknown[] {
  assert.ok(Array.isArray(value));
  assert.equal(value.length, length);
  return true;
}

/** PEM blocks that OpenSSL reads from a PKCS#12 file with an empty password. */
function openssl(pfx: string, ...flags: readonly string[]): { readonly out: string; readonly notes: string } {
  const { stdout, stderr, status } = spawnSync("openssl", ["pkcs12", "-passin", "pass:", "-nodes", "-info", ...flags], {
    input: Buffer.from(pfx, "base64"),
  });
  assert.equal(status, 0, stderr.toString());
  return { out: stdout.toString(), notes: stderr.toString() };
}

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const needsOpenssl = hasOpenssl ? {} : { skip: "needs the openssl command" };

const blocksOf = (text: string): readonly string[] => text.match(/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----\n/g) ?? [];

describe("keys, by the official SDK", () => {
  const kinds = [
    [{ keyType: "RSA" }, "RSA", { asymmetricKeyType: "rsa", detail: 2048 }],
    [{ keyType: "RSA", size: 3072 }, "RSA", { asymmetricKeyType: "rsa", detail: 3072 }],
    [{ keyType: "RSA-HSM" }, "RSA-HSM", { asymmetricKeyType: "rsa", detail: 2048 }],
    [{ keyType: "EC" }, "EC", { asymmetricKeyType: "ec", detail: "prime256v1" }],
    [{ keyType: "EC", curve: "P-384" }, "EC", { asymmetricKeyType: "ec", detail: "secp384r1" }],
    [{ keyType: "EC", curve: "P-521" }, "EC", { asymmetricKeyType: "ec", detail: "secp521r1" }],
    [{ keyType: "EC-HSM" }, "EC-HSM", { asymmetricKeyType: "ec", detail: "prime256v1" }],
  ] as const;
  for (const [input, kty, expected] of kinds) {
    test(`${JSON.stringify(input)} comes with the public part that was made`, async () => {
      const { vault, client } = await setting.aVault();
      const { kid, version, publicKeyPem } = await setting.emulator.createKey({ vault, name: "key1", ...input });

      const value = await setting.succeeds(client, { kind: "key", name: "key1" });

      assert.partialDeepStrictEqual(value, {
        name: "key1",
        id: kid,
        keyType: kty,
        key: { kid, kty },
        properties: { version, enabled: true },
      });
      const jwk = Reflect.get(Object(value), "key");
      const key = createPublicKey({ key: { ...jwk, kty: kty.replace("-HSM", "") }, format: "jwk" });
      assert.equal(key.asymmetricKeyType, expected.asymmetricKeyType);
      assert.equal(key.asymmetricKeyDetails?.modulusLength ?? key.asymmetricKeyDetails?.namedCurve, expected.detail);
      assert.equal(key.export({ type: "spki", format: "pem" }), publicKeyPem);
    });
  }

  test("the curve P-256K and symmetric keys are told apart by name alone", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.createKey({ vault, name: "koblitz", keyType: "EC", curve: "P-256K" });
    await setting.emulator.createKey({ vault, name: "symmetric", keyType: "oct" });

    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "key", name: "koblitz" }), { key: { kty: "EC", crv: "P-256K" } });
    const symmetric = await setting.succeeds(client, { kind: "key", name: "symmetric" });
    assert.partialDeepStrictEqual(symmetric, { keyType: "oct" });
    assert.doesNotMatch(JSON.stringify(symmetric), /"k":/);
  });

  test("a given private key is the key", async () => {
    const { vault, client } = await setting.aVault();
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const pem = privateKey.export({ type: "sec1", format: "pem" }).toString();
    await setting.emulator.createKey({ vault, name: "mine", keyType: "EC", privateKeyPem: pem });

    const value = await setting.succeeds(client, { kind: "key", name: "mine" });

    assert.equal(textAt(value, "key", "x"), publicKey.export({ format: "jwk" }).x);
  });

  test("a rotated key has a new version; the old one stays, and both are listed", async () => {
    const { vault, client } = await setting.aVault();
    const first = await setting.emulator.createKey({ vault, name: "key1", keyType: "EC" });
    const second = await setting.emulator.rotateKey({ vault, name: "KEY1" });

    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "key", name: "key1" }), {
      properties: { version: second.version },
    });
    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "key", name: "key1", version: first.version }), { id: first.kid });
    assert.notEqual(first.publicKeyPem, second.publicKeyPem);
    isListOf(await setting.succeeds(client, { kind: "keyVersions", name: "key1" }), 2);
  });

  test("a disabled key is still handed out, with its attributes", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.createKey({ vault, name: "key1", keyType: "EC" });
    await setting.emulator.setKeyAttributes({ vault, name: "key1", enabled: false, expires: 4_000_000_000, tags: { a: "b" } });

    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "key", name: "key1" }), {
      properties: { enabled: false, expiresOn: new Date(4_000_000_000_000).toISOString(), tags: { a: "b" } },
    });
  });

  test("lists come in pages of 25, of versions too", async () => {
    const { vault, host, client } = await setting.aVault();
    for (let at = 0; at < 27; at += 1) await setting.emulator.createKey({ vault, name: "key1", keyType: "oct" });
    for (let at = 0; at < 26; at += 1) await setting.emulator.createKey({ vault, name: `other-${at}`, keyType: "oct" });
    const start = await setting.lastSequence();

    isListOf(await setting.succeeds(client, { kind: "keys" }), 27);
    isListOf(await setting.succeeds(client, { kind: "keyVersions", name: "key1" }), 27);

    assert.deepEqual(await setting.statuses(host, start), [200, 200, 200, 200]);
  });
});

describe("certificates, by the official SDK", () => {
  test("a certificate names its key and its secret, which have its version", async () => {
    const { vault, client } = await setting.aVault();
    const made = await setting.emulator.createCertificate({
      vault,
      name: "cert1",
      subject: "CN=example.com, O=Example",
      dnsNames: ["example.com"],
    });

    const value = await setting.succeeds(client, { kind: "certificate", name: "cert1" });
    const key = await setting.succeeds(client, { kind: "key", name: "cert1" });
    const secret = await setting.succeeds(client, { kind: "get", name: "cert1" });

    const { id, kid, sid, version } = made;
    assert.partialDeepStrictEqual(value, { keyId: kid, secretId: sid, properties: { id, version, enabled: true } });
    assert.partialDeepStrictEqual(value, {
      policy: { contentType: "application/x-pkcs12", issuerName: "Self", keyType: "RSA", keySize: 2048 },
    });
    assert.partialDeepStrictEqual(key, { id: kid, properties: { version, managed: true } });
    assert.partialDeepStrictEqual(secret, { properties: { version, contentType: "application/x-pkcs12", managed: true } });
    const leaf = new X509Certificate(Buffer.from(textAt(value, "cer"), "base64url"));
    assert.equal(leaf.subject, "CN=example.com\nO=Example");
    assert.equal(leaf.checkHost("example.com"), "example.com");
    assert.equal(leaf.toString(), made.certificatePem);
  });

  test("a PEM secret is the key, then leaf, intermediate and root", async () => {
    const { vault, client } = await setting.aVault();
    const input = { vault, name: "cert1", keyType: "EC", contentType: "application/x-pem-file", issuer: "intermediate" } as const;
    const { chainPem } = await setting.emulator.createCertificate(input);

    const secret = await setting.succeeds(client, { kind: "get", name: "cert1" });

    const [key = "", ...certificates] = blocksOf(textAt(secret, "value"));
    assert.deepEqual(certificates, chainPem);
    const [leaf, intermediate, root] = certificates.map((pem) => new X509Certificate(pem));
    assert.ok(leaf && intermediate && root);
    assert.ok(leaf.checkPrivateKey(createPrivateKey(key)));
    assert.ok(leaf.checkIssued(intermediate) && leaf.verify(intermediate.publicKey));
    assert.ok(intermediate.checkIssued(root) && intermediate.verify(root.publicKey));
    assert.ok(root.verify(root.publicKey) && root.ca && intermediate.ca && !leaf.ca);
  });

  const files = [
    [{ keyType: "RSA", pfx: "legacy" }, ["-legacy"], [/pbeWithSHA1And3-KeyTripleDES-CBC/, /pbeWithSHA1And40BitRC2-CBC/, /MAC: sha1/]],
    [{ keyType: "EC", pfx: "legacy" }, ["-legacy"], [/pbeWithSHA1And3-KeyTripleDES-CBC/, /pbeWithSHA1And40BitRC2-CBC/, /MAC: sha1/]],
    [{ keyType: "RSA", pfx: "modern" }, [], [/Shrouded Keybag: PBES2.*AES-256/, /Encrypted data: PBES2.*AES-256/, /MAC: sha256/]],
    [
      { keyType: "EC", curve: "P-521", pfx: "modern" },
      [],
      [/Shrouded Keybag: PBES2.*AES-256/, /Encrypted data: PBES2.*AES-256/, /MAC: sha256/],
    ],
  ] as const;
  for (const [input, flags, settings] of files) {
    test(`OpenSSL reads the PKCS#12 file of ${JSON.stringify(input)}, chain and all`, needsOpenssl, async () => {
      const { vault, client } = await setting.aVault();
      const { chainPem } = await setting.emulator.createCertificate({ vault, name: "cert1", issuer: "intermediate", ...input });

      const { out, notes } = openssl(textAt(await setting.succeeds(client, { kind: "get", name: "cert1" }), "value"), ...flags);

      for (const pattern of settings) assert.match(notes, pattern);
      const [key = "", ...certificates] = blocksOf(out);
      assert.deepEqual(certificates, chainPem);
      assert.ok(new X509Certificate(certificates[0] ?? "").checkPrivateKey(createPrivateKey(key)));
    });
  }

  test("certificates can be written in the other order", async () => {
    const { vault } = await setting.aVault();
    const { chainPem, certificatePem } = await setting.emulator.createCertificate({
      vault,
      name: "cert1",
      issuer: "root",
      order: "root-first",
    });

    assert.deepEqual(
      chainPem.map((pem) => new X509Certificate(pem).ca),
      [true, false],
    );
    assert.equal(chainPem.at(-1), certificatePem);
  });

  test("a PKCS#12 file that OpenSSL made is imported, and its password is lost", needsOpenssl, async () => {
    const { vault, client } = await setting.aVault();
    const { chainPem } = await setting.emulator.createCertificate({
      vault,
      name: "source",
      keyType: "EC",
      contentType: "application/x-pem-file",
      issuer: "root",
    });
    const input = textAt(await setting.succeeds(client, { kind: "get", name: "source" }), "value");
    const made = spawnSync("openssl", ["pkcs12", "-export", "-passout", "pass:secret"], { input });

    const imported = await setting.emulator.importCertificate({
      vault,
      name: "cert1",
      pfx: made.stdout.toString("base64"),
      password: "secret",
    });

    assert.deepEqual([...imported.chainPem].sort(), [...chainPem].sort());
    const { out } = openssl(textAt(await setting.succeeds(client, { kind: "get", name: "cert1" }), "value"), "-legacy");
    assert.equal(blocksOf(out).length, 3);
    await assert.rejects(
      setting.emulator.importCertificate({ vault, name: "cert2", pfx: made.stdout.toString("base64") }),
      /pfx: can't be read/,
    );
  });

  test("PEM is imported in the order it came in", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.createCertificate({ vault, name: "source", contentType: "application/x-pem-file", issuer: "intermediate" });
    const [key = "", ...certificates] = blocksOf(textAt(await setting.succeeds(client, { kind: "get", name: "source" }), "value"));
    const shuffled = certificates.toReversed();

    const { chainPem, certificatePem } = await setting.emulator.importCertificate({
      vault,
      name: "cert1",
      pem: [...shuffled, key].join(""),
    });

    assert.deepEqual(chainPem, shuffled);
    assert.equal(certificatePem, certificates[0]);
  });

  test("a rotated certificate has a new key under one new version; the old one stays", async () => {
    const { vault, client } = await setting.aVault();
    const first = await setting.emulator.createCertificate({ vault, name: "cert1", keyType: "EC", dnsNames: ["example.com"] });
    const second = await setting.emulator.rotateCertificate({ vault, name: "cert1" });

    assert.notEqual(first.x5t, second.x5t);
    assert.equal(new X509Certificate(second.certificatePem).subjectAltName, "DNS:example.com");
    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "certificate", name: "cert1" }), {
      properties: { id: second.id },
    });
    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "certificate", name: "cert1", version: first.version }), {
      properties: { id: first.id },
    });
    for (const kind of ["certificateVersions", "keyVersions", "versions"] as const) {
      isListOf(await setting.succeeds(client, { kind, name: "cert1" }), 2);
    }
  });

  test("a disabled certificate is handed out, its secret is not", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.createCertificate({ vault, name: "cert1", keyType: "EC" });
    await setting.emulator.setCertificateAttributes({ vault, name: "cert1", enabled: false });

    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "certificate", name: "cert1" }), {
      properties: { enabled: false },
    });
    assert.partialDeepStrictEqual(await setting.fails(client, { kind: "get", name: "cert1" }), { statusCode: 403, code: "Forbidden" });
    const listed = await setting.succeeds(client, { kind: "list" });
    assert.partialDeepStrictEqual(listed, [{ name: "cert1", enabled: false, managed: true }]);
  });

  test("a deleted certificate takes its key and its secret along", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.createCertificate({ vault, name: "cert1", keyType: "EC" });
    await setting.emulator.deleteCertificate({ vault, name: "cert1" });

    const calls: readonly [SdkCall, string][] = [
      [{ kind: "certificate", name: "cert1" }, "CertificateNotFound"],
      [{ kind: "key", name: "cert1" }, "KeyNotFound"],
      [{ kind: "get", name: "cert1" }, "SecretNotFound"],
    ];
    for (const [call, code] of calls) {
      const error = await setting.fails(client, call);
      assert.partialDeepStrictEqual(error, { statusCode: 404, code });
      assert.match(error.message, /^A (certificate|key|secret) with \(name\/id\) cert1 was not found in this key vault\./);
    }
  });

  test("key and secret of a certificate can't be changed on their own, nor their names be taken", async () => {
    const { vault } = await setting.aVault();
    const { emulator } = setting;
    await emulator.createCertificate({ vault, name: "cert1", keyType: "EC" });
    await emulator.setSecret({ vault, name: "taken", value: "v" });

    await assert.rejects(emulator.setSecret({ vault, name: "cert1", value: "v" }), /name: the secret cert1 belongs to a certificate/);
    await assert.rejects(emulator.rotateKey({ vault, name: "cert1" }), /name: the key cert1 belongs to a certificate/);
    await assert.rejects(emulator.createCertificate({ vault, name: "taken" }), /name: the vault .* has a secret or key taken/);
    await assert.rejects(
      emulator.createCertificate({ vault, name: "c", subject: "nonsense" }),
      /subject: use a name such as CN=example.com/,
    );
    await assert.rejects(emulator.importCertificate({ vault, name: "c" }), /pem: give either pem or pfx/);
  });

  test("a secret can be made to look certificate-backed, whatever it holds", async () => {
    const { vault, client } = await setting.aVault();
    const input = { vault, name: "odd", value: "no file at all", contentType: "application/x-pkcs12", certificateBacked: true };
    const { kid, version } = await setting.emulator.setSecret(input);

    assert.match(kid ?? "", new RegExp(`/keys/odd/${version}$`));
    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "get", name: "odd" }), {
      value: "no file at all",
      properties: { managed: true },
    });
  });
});

describe("permissions of keys and certificates", () => {
  const calls: readonly [SdkCall, Permission][] = [
    [{ kind: "key", name: "cert1" }, "keys/get"],
    [{ kind: "certificate", name: "cert1" }, "certificates/get"],
    [{ kind: "get", name: "cert1" }, "secrets/get"],
  ];
  for (const [call, permission] of calls) {
    test(`${permission} allows that, and nothing else does`, async () => {
      const all: readonly Permission[] = ["secrets/get", "keys/get", "certificates/get"];
      const { vault, client } = await setting.aVault(all.filter((one) => one !== permission));
      await setting.emulator.createCertificate({ vault, name: "cert1", keyType: "EC" });

      const error = await setting.fails(client, call);
      assert.partialDeepStrictEqual(error, { statusCode: 403, code: "Forbidden" });
      assert.match(error.message, new RegExp(`does not have ${permission.replace("/", " ")} permission on key vault '${vault};`));
      await setting.emulator.grant({ vault, appId: client.clientId, permissions: [permission] });
      await setting.succeeds(client, call);
    });
  }
});

test("keys and certificates can be made by hand", async () => {
  const { vault, client } = await setting.aVault();
  const run = (...words: readonly string[]): Promise<string> => dispatch(words, setting.stateDir);

  await run("key", "create", vault, "key1", "--type", "EC", "--curve", "P-384");
  const printed = await run(
    "cert",
    "create",
    vault,
    "cert1",
    "--type",
    "EC",
    "--pem",
    "--issuer",
    "intermediate",
    "--dns",
    "a.example,b.example",
  );
  await run("cert", "rotate", vault, "cert1");

  assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "key", name: "key1" }), { key: { crv: "P-384" } });
  isListOf(await setting.succeeds(client, { kind: "certificateVersions", name: "cert1" }), 2);
  assert.partialDeepStrictEqual(JSON.parse(printed), { certificates: 3, contentType: "application/x-pem-file" });
  assert.doesNotMatch(printed, /PRIVATE/);
  await assert.rejects(run("key", "create", vault, "key2", "--type", "AES"), /--type: use one of RSA/);
});
