import { createHash, randomBytes, sign } from "node:crypto";
import forge from "node-forge";

import { EmulatorInputError } from "../input-error.ts";
import {
  bitString,
  boolean,
  contentOf,
  explicit,
  implicit,
  integer,
  nullValue,
  objectId,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";
import { type KeyPair, publicDer } from "./key-pair.ts";

/** One certificate to issue (RFC 5280). */
export interface CertificateRequest {
  readonly subject: string;
  readonly keys: KeyPair;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isAuthority: boolean;
  readonly dnsNames: readonly string[];
  /** Absent for a self-signed certificate. */
  readonly issuer?: Issuer | undefined;
}

export interface Issuer {
  readonly subject: string;
  readonly keys: KeyPair;
}

/** Returns DER, with a signature from node:crypto, because node-forge supports only RSA keys. */
export function issueCertificate(request: CertificateRequest): Buffer {
  const issuer = request.issuer ?? request;
  const algorithm = signatureAlgorithm(issuer.keys);
  const toBeSigned = sequence(
    explicit(0, integer(2)),
    // A leading octet of 1 keeps the number positive and its length constant.
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm.identifier,
    distinguishedName(issuer.subject),
    sequence(time(request.notBefore), time(request.notAfter)),
    distinguishedName(request.subject),
    publicDer(request.keys.publicKey),
    explicit(3, sequence(...extensionsOf(request, issuer))),
  );
  return sequence(toBeSigned, algorithm.identifier, bitString(sign(algorithm.hash, toBeSigned, issuer.keys.privateKey)));
}

interface SignatureAlgorithm {
  readonly hash: string;
  readonly identifier: Buffer;
}

/** RFC 4055 and RFC 5758. The hash is as strong as the curve. */
function signatureAlgorithm({ spec }: KeyPair): SignatureAlgorithm {
  if (spec.kind === "RSA") return { hash: "sha256", identifier: sequence(objectId("1.2.840.113549.1.1.11"), nullValue()) };
  const strength = spec.curve === "P-521" ? 512 : spec.curve === "P-384" ? 384 : 256;
  const arc = { 256: 2, 384: 3, 512: 4 }[strength];
  return { hash: `sha${strength}`, identifier: sequence(objectId(`1.2.840.10045.4.3.${arc}`)) };
}

/** RFC 4514 reverses the order of the encoding, but Key Vault keeps the order of the input, and so does this function. */
function distinguishedName(subject: string): Buffer {
  const parts = subject.split(/(?<!\\),\s*/).map((part) => {
    const [, type = "", value = ""] = /^\s*([A-Za-z]+)\s*=\s*(.*)$/s.exec(part) ?? [];
    const identifier = NAME_TYPES[type.toUpperCase()];
    if (identifier === undefined || value === "") {
      throw new EmulatorInputError(`subject: use a name such as CN=example.com, O=Example, with ${Object.keys(NAME_TYPES).join(", ")}`);
    }
    return setOf(sequence(objectId(identifier), utf8String(value.replaceAll("\\,", ","))));
  });
  return sequence(...parts);
}

const NAME_TYPES: Readonly<Record<string, string | undefined>> = {
  CN: "2.5.4.3",
  C: "2.5.4.6",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  O: "2.5.4.10",
  OU: "2.5.4.11",
};

const DIGITAL_SIGNATURE_AND_KEY_ENCIPHERMENT = bitString(Buffer.from([0b1010_0000]), 5);
const CERTIFICATE_AND_CRL_SIGN = bitString(Buffer.from([0b0000_0110]), 1);
const SERVER_AND_CLIENT = sequence(objectId("1.3.6.1.5.5.7.3.1"), objectId("1.3.6.1.5.5.7.3.2"));
/** RFC 5280, section 4.2.1.6: dNSName. */
const DNS_NAME = 2;

function extensionsOf({ keys, isAuthority, dnsNames }: CertificateRequest, issuer: Issuer): readonly Buffer[] {
  const names = dnsNames.map((name) => implicit(DNS_NAME, Buffer.from(name, "ascii")));
  return [
    extension("2.5.29.19", isAuthority ? sequence(boolean(true)) : sequence(), true),
    extension("2.5.29.15", isAuthority ? CERTIFICATE_AND_CRL_SIGN : DIGITAL_SIGNATURE_AND_KEY_ENCIPHERMENT, true),
    ...(isAuthority ? [] : [extension("2.5.29.37", SERVER_AND_CLIENT)]),
    ...(names.length === 0 ? [] : [extension("2.5.29.17", sequence(...names))]),
    extension("2.5.29.14", octetString(keyIdentifier(keys))),
    // Also in self-signed certificates, as in Key Vault's, because chains are linked by it.
    extension("2.5.29.35", sequence(implicit(0, keyIdentifier(issuer.keys)))),
  ];
}

function extension(identifier: string, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(identifier), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

/** SHA-1 of the public key's bits (RFC 5280, section 4.2.1.2, method 1). */
function keyIdentifier({ publicKey }: KeyPair): Buffer {
  const subjectPublicKeyInfo = forge.asn1.fromDer(publicDer(publicKey).toString("binary"));
  const bits = Array.isArray(subjectPublicKeyInfo.value) ? subjectPublicKeyInfo.value[1] : undefined;
  if (bits === undefined) throw new Error("a public key without its bits");
  const encoded = Buffer.from(forge.asn1.toDer(bits).getBytes(), "binary");
  // The first octet of a BIT STRING counts unused bits.
  return createHash("sha1").update(contentOf(encoded).subarray(1)).digest();
}

/** PEM with 64 columns and a newline at its end. */
export function certificatePem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
