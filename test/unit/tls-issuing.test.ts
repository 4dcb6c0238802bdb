import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { connect, createServer } from "node:tls";
import forge from "node-forge";
import { AUTHORITY_LIFETIME, BACKDATE, LEAF_LIFETIME } from "../../src/domain/certificates/lifetimes.ts";
import { serviceDnsNames } from "../../src/domain/certificates/names.ts";
import type { AuthorityCertificate } from "../../src/domain/certificates/verdict.ts";
import { issueAuthority, issueLeaf, type SigningAuthority } from "../../src/tls/issue.ts";
import { leafFactsOf } from "../../src/tls/read-certificate.ts";
import { newRsaKey, privateKeyPem } from "../../src/tls/rsa-key.ts";
import { TlsError } from "../../src/tls/tls-error.ts";

/** Whole seconds, as in certificates. The present time, because TLS handshakes check it. */
const now = Math.floor(Date.now() / 1_000) * 1_000;
const dnsNames = serviceDnsNames("keyvault-injector-webhook", "vault-system");
const name = "keyvault-injector-webhook.vault-system.svc";

type Ca = SigningAuthority & { readonly certificate: AuthorityCertificate };

async function aCa(): Promise<Ca> {
  const key = await newRsaKey(2048);
  const certificate = issueAuthority(key, now);
  return { pem: certificate.pem, key, certificate };
}

let oldCa: Ca;
let newCa: Ca;
let leafKey: KeyObject;

before(async () => {
  [oldCa, newCa, leafKey] = await Promise.all([aCa(), aCa(), newRsaKey(2048)]);
});

const leafOf = (authority: SigningAuthority, at = now): string => issueLeaf(authority, { key: leafKey, dnsNames, now: at });

/** Returns the outcome for a TLS client that trusts `bundle` and expects `servername`: "ok", or OpenSSL's reason. */
async function handshake(cert: string, bundle: readonly string[], servername: string): Promise<string> {
  const server = createServer({ cert, key: privateKeyPem(leafKey) });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // The server listens on TCP.
  const socket = connect({ host: "127.0.0.1", port, ca: [...bundle], servername });
  try {
    return await new Promise<string>((resolve) => {
      socket.once("secureConnect", () => resolve(socket.authorized ? "ok" : "unauthorized"));
      socket.once("error", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

describe("a CA of ours", () => {
  test("is self-signed, may certify leaves only, and lives a year", () => {
    const certificate = new X509Certificate(oldCa.pem);
    const parsed = forge.pki.certificateFromPem(oldCa.pem);

    assert.ok(certificate.ca && certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey));
    assert.deepEqual(pick(parsed.getExtension("basicConstraints"), ["cA", "pathLenConstraint", "critical"]), [true, 0, true]);
    assert.deepEqual(pick(parsed.getExtension("keyUsage"), ["keyCertSign", "digitalSignature", "critical"]), [true, false, true]);
    assert.equal(certificate.validFromDate.getTime(), now - BACKDATE);
    assert.equal(certificate.validToDate.getTime(), now + AUTHORITY_LIFETIME);
  });

  test("has a name of its own, so that two in one bundle can be told apart", () => {
    assert.notEqual(new X509Certificate(oldCa.pem).subject, new X509Certificate(newCa.pem).subject);
  });
});

describe("a leaf", () => {
  test("names the Service in all its forms, for server authentication only", () => {
    const pem = leafOf(oldCa);
    const certificate = new X509Certificate(pem);
    const parsed = forge.pki.certificateFromPem(pem);

    assert.deepEqual(leafFactsOf(pem, "A").dnsNames, [
      "keyvault-injector-webhook",
      "keyvault-injector-webhook.vault-system",
      "keyvault-injector-webhook.vault-system.svc",
      "keyvault-injector-webhook.vault-system.svc.cluster.local",
    ]);
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
    assert.equal(certificate.ca, false);
    assert.deepEqual(pick(parsed.getExtension("keyUsage"), ["digitalSignature", "keyEncipherment", "keyCertSign"]), [true, true, false]);
    assert.equal(certificate.validToDate.getTime(), now + LEAF_LIFETIME);
  });

  test("names its CA's key, and does not outlive its CA", () => {
    const late = now + AUTHORITY_LIFETIME - 60_000;
    const parsed = forge.pki.certificateFromPem(leafOf(oldCa, late));
    const issuer = forge.pki.certificateFromPem(oldCa.pem);
    const [identifier] = pick(issuer.getExtension("subjectKeyIdentifier"), ["subjectKeyIdentifier"]);
    const [value] = pick(parsed.getExtension("authorityKeyIdentifier"), ["value"]);

    assert.match(String(identifier), /^[0-9a-f]{40}$/);
    // SEQUENCE { [0] keyIdentifier }
    assert.equal(forge.util.bytesToHex(String(value)), `30168014${String(identifier)}`);
    assert.equal(parsed.validity.notAfter.getTime(), now + AUTHORITY_LIFETIME);
  });

  test("has a positive serial number of 16 bytes that never repeats", () => {
    const serials = Array.from({ length: 20 }, () => new X509Certificate(leafOf(oldCa)).serialNumber);

    assert.ok(
      serials.every((serial) => /^[4-7][0-9A-F]{31}$/.test(serial)),
      serials.join(" "),
    );
    assert.equal(new Set(serials).size, serials.length);
  });

  test("is refused by whoever issues it when the CA's key is another's", () => {
    assert.throws(
      () => leafOf({ pem: oldCa.pem, key: newCa.key }),
      (error) => error instanceof TlsError && error.code === "CannotCertify" && error.message.includes("delete that Secret"),
    );
  });

  test("is signed under a CA made elsewhere, with its own encoding of names and key identifier", async () => {
    const foreign = await aForeignCa();

    assert.match(new X509Certificate(foreign.pem).subject, /O=Größe GmbH/);
    assert.equal(await handshake(leafOf(foreign), [foreign.pem], name), "ok");
  });
});

describe("a TLS handshake", () => {
  test("succeeds under every name of the Service and fails under another", async () => {
    const cert = leafOf(oldCa);

    for (const dnsName of dnsNames) assert.equal(await handshake(cert, [oldCa.pem], dnsName), "ok", dnsName);
    assert.equal(await handshake(cert, [oldCa.pem], "keyvault-injector-webhook.other.svc"), "ERR_TLS_CERT_ALTNAME_INVALID");
  });

  test("succeeds throughout a rotation: leaves of both CAs verify against the bundle of both, in either order", async () => {
    for (const bundle of [
      [newCa.pem, oldCa.pem],
      [oldCa.pem, newCa.pem],
    ]) {
      assert.equal(await handshake(leafOf(oldCa), bundle, name), "ok");
      assert.equal(await handshake(leafOf(newCa), bundle, name), "ok");
    }
  });

  test("fails without the overlap, which shows that the handshakes above verify anything", async () => {
    assert.equal(await handshake(leafOf(oldCa), [newCa.pem], name), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    assert.equal(await handshake(leafOf(newCa), [oldCa.pem], name), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });
});

function pick(extension: object | null | undefined, keys: readonly string[]): readonly unknown[] {
  const values = new Map<string, unknown>(Object.entries(extension ?? {}));
  return keys.map((key) => values.get(key));
}

/** A CA as other tools make it: several name parts, UTF8String, and a key identifier that is not the SHA-1 of the key. */
async function aForeignCa(): Promise<SigningAuthority> {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey.export({ type: "spki", format: "pem" }).toString());
  certificate.serialNumber = "0a";
  certificate.validity.notBefore = new Date(now - BACKDATE);
  certificate.validity.notAfter = new Date(now + AUTHORITY_LIFETIME);
  certificate.setSubject([
    { name: "organizationName", value: "Größe GmbH", valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class }, // The type definitions name the wrong enum.
    { name: "commonName", value: "Cluster CA" },
  ]);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", critical: true, cA: true },
    { id: "2.5.29.14", value: forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.OCTETSTRING, false, "\x01\x02\x03\x04\x05") },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKeyPem(pair.privateKey)), forge.md.sha256.create());
  return { pem: forge.pki.certificateToPem(certificate), key: pair.privateKey };
}
