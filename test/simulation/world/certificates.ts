/**
 * Certificates that follow from the seed: EC keys from drawn numbers, signed by an RSA key, whose signatures have nothing random in them. The
 * subject says what the value of a secret would say; whatever is made of a certificate is told by it.
 */
import { createECDH, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { type KeyPair, privatePem, publicPem } from "../../../tools/key-vault-emulator/pki/key-pair.ts";
import { certificatePem, issueCertificate } from "../../../tools/key-vault-emulator/pki/x509.ts";
import { EPOCH } from "../time/context.ts";
import { Random } from "../time/random.ts";
import { rsaKey } from "./rsa-key.ts";

const YEAR_MS = 365 * 86_400_000;

let authority: KeyPair | undefined;

/** The same in all worlds: it takes time to make. */
function authorityKeys(): KeyPair {
  authority ??= rsaKey(new Random(1));
  return authority;
}

function ecKeys(random: Random): KeyPair {
  const curve = createECDH("prime256v1");
  // Below the order of the curve, whose first four bytes are all ones.
  const secret = random.bytes(32);
  secret[0] = 1 + (secret[0] ?? 0) / 2;
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)];
  const jwk = { kty: "EC", crv: "P-256", d: secret.toString("base64url"), x: x.toString("base64url"), y: y.toString("base64url") };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  return { spec: { kind: "EC", curve: "P-256" }, privateKey, publicKey: createPublicKey(privateKey) };
}

/** What its public key alone says nothing of. */
const byKey = new Map<string, string>();

/** Key and certificate as PEM. `text` may hold letters, digits, `-` and `/`. */
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

/** Another world begins: nobody asks for those of the last one. */
export function forgetCertificates(): void {
  byKey.clear();
  reported.clear();
}

/** What a file in PEM was made from; undefined: it is no PEM of {@link drawCertificate}'s, whole and of one certificate. */
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
    // Cut, or of something else.
    return undefined;
  }
}
