import { createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import forge from "node-forge";

import { explicit, implicit, integer, nullValue, objectId, octetString, sequence, setOf } from "./der.ts";

/**
 * `legacy` is the format of Key Vault's exports (SHA-1 with 3DES for the key and 40-bit RC2 for the certificates, SHA-1 MAC). `modern` is
 * the default of OpenSSL 3 (PBES2 with AES-256, SHA-256 MAC).
 */
export const PFX_SETTINGS = ["legacy", "modern"] as const;

export type PfxSettings = (typeof PFX_SETTINGS)[number];

export interface PfxContent {
  /** PKCS#8 DER. */
  readonly privateKey: Buffer;
  /** DER, in the order of the file. */
  readonly certificates: readonly Buffer[];
  /** The certificate that belongs to the key. */
  readonly leaf: Buffer;
}

const ITERATIONS = 2000;
/** Key Vault's files have an empty password. */
const PASSWORD = "";

/** Writes a file as in RFC 7292. node-forge writes only RSA keys, and does not encrypt the certificates. */
export function writePfx({ privateKey, certificates, leaf }: PfxContent, settings: PfxSettings): Buffer {
  const localKeyId = createHash("sha1").update(leaf).digest();
  const keyEncryption = encrypted(privateKey, settings, "key");
  const keyBag = bag(OID.shroudedKeyBag, sequence(keyEncryption.algorithm, octetString(keyEncryption.data)), localKeyId);
  const certificateBags = certificates.map((der) => bag(OID.certBag, certificateValue(der), der.equals(leaf) ? localKeyId : undefined));
  const certEncryption = encrypted(sequence(...certificateBags), settings, "certificates");
  const encryptedContent = sequence(objectId(OID.data), certEncryption.algorithm, implicit(0, certEncryption.data));
  const safe = sequence(
    sequence(objectId(OID.data), explicit(0, octetString(sequence(keyBag)))),
    sequence(objectId(OID.encryptedData), explicit(0, sequence(integer(0), encryptedContent))),
  );
  return sequence(integer(3), sequence(objectId(OID.data), explicit(0, octetString(safe))), macOf(safe, settings));
}

const OID = {
  data: "1.2.840.113549.1.7.1",
  encryptedData: "1.2.840.113549.1.7.6",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certBag: "1.2.840.113549.1.12.10.1.3",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  localKeyId: "1.2.840.113549.1.9.21",
  tripleDes: "1.2.840.113549.1.12.1.3",
  rc2With40Bits: "1.2.840.113549.1.12.1.6",
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  hmacSha256: "1.2.840.113549.2.9",
  aes256: "2.16.840.1.101.3.4.1.42",
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
} as const;

function bag(type: string, value: Buffer, localKeyId: Buffer | undefined): Buffer {
  const attributes = localKeyId === undefined ? [] : [setOf(sequence(objectId(OID.localKeyId), setOf(octetString(localKeyId))))];
  return sequence(objectId(type), explicit(0, value), ...attributes);
}

function certificateValue(der: Buffer): Buffer {
  return sequence(objectId(OID.x509Certificate), explicit(0, octetString(der)));
}

interface Encrypted {
  readonly algorithm: Buffer;
  readonly data: Buffer;
}

function encrypted(plain: Buffer, settings: PfxSettings, what: "key" | "certificates"): Encrypted {
  if (settings === "modern") return byAes(plain);
  return what === "key" ? byTripleDes(plain) : byRc2(plain);
}

function byAes(plain: Buffer): Encrypted {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv("aes-256-cbc", pbkdf2Sync(PASSWORD, salt, ITERATIONS, 32, "sha256"), iv);
  const derivation = sequence(octetString(salt), integer(ITERATIONS), sequence(objectId(OID.hmacSha256), nullValue()));
  const scheme = sequence(objectId(OID.aes256), octetString(iv));
  return {
    algorithm: sequence(objectId(OID.pbes2), sequence(sequence(objectId(OID.pbkdf2), derivation), scheme)),
    data: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

function byTripleDes(plain: Buffer): Encrypted {
  const salt = randomBytes(8);
  const cipher = createCipheriv("des-ede3-cbc", derived(salt, PURPOSE.key, 24), derived(salt, PURPOSE.iv, 8));
  return { algorithm: legacyAlgorithm(OID.tripleDes, salt), data: Buffer.concat([cipher.update(plain), cipher.final()]) };
}

/** Uses node-forge, because OpenSSL 3 has RC2 only in its legacy provider, which Node does not load. */
function byRc2(plain: Buffer): Encrypted {
  const salt = randomBytes(8);
  const cipher = forge.rc2.createEncryptionCipher(binary(derived(salt, PURPOSE.key, 5)), 40);
  cipher.start(binary(derived(salt, PURPOSE.iv, 8)));
  cipher.update(forge.util.createBuffer(binary(plain)));
  cipher.finish();
  return { algorithm: legacyAlgorithm(OID.rc2With40Bits, salt), data: Buffer.from(cipher.output.getBytes(), "binary") };
}

function legacyAlgorithm(identifier: string, salt: Buffer): Buffer {
  return sequence(objectId(identifier), sequence(octetString(salt), integer(ITERATIONS)));
}

/** RFC 7292, appendix B.3. */
const PURPOSE = { key: 1, iv: 2, mac: 3 } as const;

interface DerivationHash {
  readonly name: "sha1" | "sha256";
  readonly block: 64;
}

/** RFC 7292, appendix B.2, with the empty password, whose BMPString is two zero octets. */
function derived(salt: Buffer, purpose: number, length: number, hash: DerivationHash = { name: "sha1", block: 64 }): Buffer {
  const { name, block } = hash;
  const stretch = (text: Buffer): Buffer => Buffer.alloc(block * Math.ceil(text.byteLength / block), text);
  let state = Buffer.concat([stretch(salt), stretch(Buffer.alloc(2))]);
  const output: Buffer[] = [];
  for (let have = 0; have < length; have += output.at(-1)?.byteLength ?? length) {
    let digest = createHash(name).update(Buffer.alloc(block, purpose)).update(state).digest();
    for (let round = 1; round < ITERATIONS; round += 1) digest = createHash(name).update(digest).digest();
    output.push(digest);
    state = nextState(state, Buffer.alloc(block, digest));
  }
  return Buffer.concat(output).subarray(0, length);
}

/** Adds the digest plus one to each block, modulo the block's size. */
function nextState(state: Buffer, digest: Buffer): Buffer<ArrayBuffer> {
  const block = digest.byteLength;
  const modulus = 1n << BigInt(block * 8);
  const addend = BigInt(`0x${digest.toString("hex")}`) + 1n;
  const blocks = Array.from({ length: state.byteLength / block }, (_, at) => {
    const sum = (BigInt(`0x${state.subarray(at * block, (at + 1) * block).toString("hex")}`) + addend) % modulus;
    return Buffer.from(sum.toString(16).padStart(block * 2, "0"), "hex");
  });
  return Buffer.concat(blocks);
}

function macOf(safe: Buffer, settings: PfxSettings): Buffer {
  const name = settings === "modern" ? "sha256" : "sha1";
  const salt = randomBytes(8);
  const key = derived(salt, PURPOSE.mac, name === "sha256" ? 32 : 20, { name, block: 64 });
  const digest = createHmac(name, key).update(safe).digest();
  const info = sequence(sequence(objectId(OID[name]), nullValue()), octetString(digest));
  return sequence(info, octetString(salt), integer(ITERATIONS));
}

function binary(bytes: Buffer): string {
  return bytes.toString("binary");
}

/** Returns key and certificates of a user's file, in its order. `undefined` if the password or the format is wrong. */
export function readPfx(
  pfx: Buffer,
  password: string,
): { readonly keys: readonly Buffer[]; readonly certificates: readonly Buffer[] } | undefined {
  try {
    const parsed = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(binary(pfx)), false, password);
    const bags = parsed.safeContents.flatMap(({ safeBags }) => safeBags);
    return {
      keys: bags.filter(({ type }) => type === forge.pki.oids["pkcs8ShroudedKeyBag"] || type === forge.pki.oids["keyBag"]).map(keyOf),
      certificates: bags.filter(({ type }) => type === forge.pki.oids["certBag"]).map(certificateOf),
    };
  } catch {
    return undefined;
  }
}

/** node-forge returns only `asn1` if the key is not RSA. */
function keyOf({ key, asn1 }: forge.pkcs12.Bag): Buffer {
  const info = key === undefined || key === null ? asn1 : forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key));
  return Buffer.from(forge.asn1.toDer(info).getBytes(), "binary");
}

function certificateOf({ cert, asn1 }: forge.pkcs12.Bag): Buffer {
  const encoded = cert === undefined || cert === null ? asn1 : forge.pki.certificateToAsn1(cert);
  return Buffer.from(forge.asn1.toDer(encoded).getBytes(), "binary");
}
