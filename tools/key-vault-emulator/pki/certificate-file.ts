import { X509Certificate } from "node:crypto";

import { EmulatorInputError } from "../input-error.ts";
import { type KeyPair, keyPairFromPem } from "./key-pair.ts";
import { readPfx } from "./pkcs12.ts";

/** A private key and the certificates of the same file, in its order. */
export interface CertificateFile {
  readonly keys: KeyPair;
  readonly leaf: Buffer;
  readonly certificates: readonly Buffer[];
}

export function certificateFromPem(pem: string): CertificateFile {
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g)].map(([text, label = ""]) => ({ text, label }));
  const keys = blocks.filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const certificates = blocks.filter(({ label }) => label === "CERTIFICATE").map(({ text }) => derOf(text));
  const [key] = keys;
  if (key === undefined || keys.length > 1) throw new EmulatorInputError(`pem: holds ${keys.length} private keys; give one`);
  return fileOf(keyPairFromPem(key.text), certificates, "pem");
}

export function certificateFromPfx(pfx: Buffer, password: string): CertificateFile {
  const content = readPfx(pfx, password);
  if (content === undefined)
    throw new EmulatorInputError("pfx: can't be read; check that it is base64 of a PKCS#12 file, and the password");
  const [key] = content.keys;
  if (key === undefined) throw new EmulatorInputError("pfx: holds no private key; export it together with its key");
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  return fileOf(keyPairFromPem(pem), content.certificates, "pfx");
}

function fileOf(keys: KeyPair, certificates: readonly Buffer[], field: string): CertificateFile {
  const leaf = certificates.find((der) => new X509Certificate(der).checkPrivateKey(keys.privateKey));
  if (leaf === undefined)
    throw new EmulatorInputError(`${field}: none of its certificates belongs to its private key; add the one that does`);
  return { keys, leaf, certificates };
}

function derOf(pem: string): Buffer {
  try {
    return new X509Certificate(pem).raw;
  } catch (cause) {
    throw new EmulatorInputError("pem: holds a certificate that can't be read", { cause });
  }
}
