import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import { authorityVerdict } from "../../src/domain/certificates/authority-policy.ts";
import { NO_PREVIOUS, retire } from "../../src/domain/certificates/overlap.ts";
import type { AuthorityCertificate } from "../../src/domain/certificates/verdict.ts";
import type { Secret } from "../../src/domain/kubernetes.ts";
import { authoritySecretBody, readAuthority } from "../../src/tls/authority-secret.ts";
import { issueAuthority, issueLeaf } from "../../src/tls/issue.ts";
import { newRsaKey, privateKeyPem } from "../../src/tls/rsa-key.ts";

const now = Date.UTC(2026, 0, 1);

let key: KeyObject;
let certificate: AuthorityCertificate;
let older: AuthorityCertificate;

before(async () => {
  key = await newRsaKey(2048);
  certificate = issueAuthority(key, now);
  older = issueAuthority(await newRsaKey(2048), now - 1_000);
});

function aSecret(texts: Readonly<Record<string, string | Uint8Array>>, annotations: Readonly<Record<string, string>> = {}): Secret {
  const data = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString("base64")]));
  return { apiVersion: "v1", kind: "Secret", metadata: { name: "keyvault-injector-ca", annotations }, data };
}

function reasonOf(secret: Secret): string {
  const verdict = authorityVerdict(readAuthority(secret).facts, now);
  return verdict.kind === "valid" ? "valid" : verdict.reason;
}

describe("reading the CA Secret", () => {
  test("gives back what was written: certificate, key, and the retired CA with its time", () => {
    const previous = retire([older], certificate, now);
    const written = authoritySecretBody({ certificatePem: certificate.pem, key, previous }, { namespace: "system" });
    const content = readAuthority(written);

    assert.equal(reasonOf(written), "valid");
    assert.ok(content.key?.equals(key));
    assert.deepEqual(
      content.previous.certificates.map(({ fingerprint }) => fingerprint),
      [older.fingerprint],
    );
    assert.equal(content.previous.until, previous.until);
  });

  test("names what is wrong with real material that does not fit", async () => {
    const leaf = issueLeaf({ pem: certificate.pem, key }, { key, dnsNames: ["a"], now });
    const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const crt = certificate.pem;
    const pem = privateKeyPem(key);
    const found = [
      aSecret({ "ca.crt": crt, "ca.key": pem }),
      aSecret({ "ca.crt": `\n${crt}${older.pem}`, "ca.key": pem }),
      aSecret({ "ca.crt": leaf, "ca.key": pem }),
      aSecret({ "ca.crt": older.pem, "ca.key": pem }),
      aSecret({ "ca.crt": crt, "ca.key": privateKeyPem(elliptic) }),
      aSecret({ "ca.crt": crt, "ca.key": key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }) }),
      aSecret({ "ca.crt": crt.slice(0, 300), "ca.key": pem }),
      aSecret({ "ca.crt": crt, "ca.key": "  \n" }),
      aSecret({ "ca.crt": pem, "ca.key": crt }),
    ].map(reasonOf);

    assert.deepEqual(found, [
      "valid",
      "valid",
      "NotAnAuthority",
      "KeyMismatch",
      "KeyUnsupported",
      "KeyUnparsable",
      "CertificateUnparsable",
      "KeyMissing",
      "CertificateUnparsable",
    ]);
  });

  test("ignores retired certificates and times that make no sense", () => {
    const texts = {
      "ca.crt": certificate.pem,
      "ca.key": privateKeyPem(key),
      "previous-ca.crt": `${certificate.pem.slice(0, 200)}\nrubbish`,
    };
    const content = readAuthority(aSecret(texts, { "keyvault-injector.dev/previous-ca-until": "tomorrow" }));

    assert.deepEqual(content.previous, NO_PREVIOUS);
  });

  test("never throws and never calls it valid, whatever bytes stand there; the verdict quotes none of them", () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...fragments()));
    fc.assert(
      fc.property(bytes, bytes, bytes, (crt, pem, previous) => {
        const secret = aSecret({ "ca.crt": crt, "ca.key": pem, "previous-ca.crt": previous });
        const verdict = authorityVerdict(readAuthority(secret).facts, now);
        assert.equal(verdict.kind, "replace");
        assert.ok(/^[\x20-\x7e]{1,120}$/.test(verdict.message), verdict.message);
      }),
      { numRuns: 300 },
    );
  });

  /** Real material that never contains a certificate together with its own key. */
  function fragments(): readonly (string | Uint8Array)[] {
    const pem = privateKeyPem(key);
    return [older.pem, pem, pem.slice(0, 400), certificate.pem.slice(60), `${older.pem}${older.pem}`, "", "-----BEGIN CERTIFICATE-----"];
  }
});
