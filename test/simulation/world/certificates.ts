/**
 * Certificates that follow from the seed: EC keys from drawn numbers, signed by an RSA key, because RSA signatures contain nothing random.
 * The subject contains the text that the value of a secret would contain, and identifies the files that are made from the certificate.
 */
import { createECDH, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { type KeyPair, privatePem, publicPem } from "../../../tools/key-vault-emulator/pki/key-pair.ts";
import { certificatePem, issueCertificate } from "../../../tools/key-vault-emulator/pki/x509.ts";
import { EPOCH } from "../time/context.ts";
import { Random } from "../time/random.ts";
import { rsaKey } from "./rsa-key.ts";

const YEAR_MS = 365 * 86_400_000;

let authority: KeyPair | undefined;

/** All worlds use the same keys, because creating them takes time. */
function authorityKeys(): KeyPair {
  authority ??= rsaKey(new Random(1));
  return authority;
}

function ecKeys(random: Random): KeyPair {
  const curve = createECDH("prime256v1");
  // The secret must be below the order of the curve, whose first four bytes are all ones.
  const secret = random.bytes(32);
  secret[0] = 1 + (secret[0] ?? 0) / 2;
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)];
  const jwk = { kty: "EC", crv: "P-256", d: secret.toString("base64url"), x: x.toString("base64url"), y: y.toString("base64url") };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  return { spec: { kind: "EC", curve: "P-256" }, privateKey, publicKey: createPublicKey(privateKey) };
}

/** Texts of certificates by public key, because a public key does not contain the subject. */
const byKey = new Map<string, string>();

/** Returns key and certificate as PEM. `text` may contain letters, digits, `-`, and `/`. */
export function drawCertificate(random: Random, text: string): string {
  const keys = ecKeys(random);
  const der = issueCertificate({
    subject: `CN=${text}`,
    keys,
    notBefore: new Date(EPOCH - YEAR_MS),
    notAfter: new Date(EPOCH + 10 * YEAR_MS),
    isAuthority: false,
    dnsNames: [],
    issuer: { subject: "CN=simulated authority", keys: authorityKeys() },
  });
  byKey.set(publicPem(keys.publicKey).trim(), text);
  return `${privatePem(keys.privateKey)}${certificatePem(der)}`;
}

const reported = new Map<string, string>();

/** Clears the caches, because another world does not use the certificates of the last one. */
export function forgetCertificates(): void {
  byKey.clear();
  reported.clear();
}

/** Returns the text from which a PEM file was made; undefined unless it is one complete PEM from {@link drawCertificate}. */
export function textOfPem(pem: string): string | undefined {
  if (!pem.startsWith("-----BEGIN ")) return undefined;
  const known = reported.get(pem) ?? readPem(pem);
  if (known !== undefined) reported.set(pem, known);
  return known;
}

function readPem(pem: string): string | undefined {
  if (pem.includes("BEGIN PUBLIC KEY")) return byKey.get(pem.trim());
  try {
    const certificate = new X509Certificate(pem);
    const hasKey = pem.includes("PRIVATE KEY");
    if (hasKey && !certificate.checkPrivateKey(createPrivateKey(pem))) return undefined;
    return certificate.subject.replace(/^CN=/, "");
  } catch {
    // The file is cut, or is not a certificate.
    return undefined;
  }
}
