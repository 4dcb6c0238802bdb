/**
 * Java's first store format, for programs that read no other. There is no standard for it: the layout is that of OpenJDK's reader,
 * `sun.security.provider.JavaKeyStore`.
 */
import { hash, type X509Certificate } from "node:crypto";
import type { TrustStoreInput } from "../../domain/ports/pki.ts";
import type { Result } from "../../domain/result.ts";
import { checkPassword, orRefusal, readCertificates, storeRefusal } from "./store-input.ts";

const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;
/** The reader hashes it between the password and the content. */
const WHITENER = "Mighty Aphrodite";

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Encodes ASCII, which Java's own form of UTF-8 encodes like others do. */
function text(ascii: string): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(ascii.length);
  return Buffer.concat([bytes, Buffer.from(ascii, "latin1")]);
}

/**
 * Returns the time of an entry, which Java shows but does not use. The certificate's start of validity stays the same whenever the store is
 * written.
 */
function creationOf({ validFrom }: X509Certificate, number: number): Buffer {
  // Not `validFromDate`: for a malformed time, Node 24 creates it from uninitialized memory, which sometimes is a date.
  const time = Date.parse(validFrom);
  if (Number.isNaN(time)) throw storeRefusal(`certificate ${number} has no date from which it is valid`);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(time));
  return bytes;
}

function entryOf(certificate: X509Certificate, index: number): Buffer {
  const { raw } = certificate;
  const number = index + 1;
  return Buffer.concat([
    int(TRUSTED_CERTIFICATE),
    text(String(number)),
    creationOf(certificate, number),
    text("X.509"),
    int(raw.length),
    raw,
  ]);
}

/**
 * Encodes certificates that Java trusts, with their numbers as aliases. The password encrypts nothing: Java detects changes by the SHA-1
 * over it and the content.
 */
export function encodeJksTrustStore({ certificates, password }: TrustStoreInput): Result<Uint8Array, string> {
  return orRefusal(() => {
    checkPassword(password);
    const entries = readCertificates(certificates).map(entryOf);
    const content = Buffer.concat([int(MAGIC), int(VERSION), int(entries.length), ...entries]);
    const secret = Buffer.from(password, "utf16le").swap16();
    return Buffer.concat([content, hash("sha1", Buffer.concat([secret, Buffer.from(WHITENER), content]), "buffer")]);
  });
}
