/** Structures of PKCS#12 (RFC 7292), read without decrypting anything. */

import {
  context,
  DerError,
  DerReader,
  INTEGER,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  objectIdentifier,
  sequence,
  set,
  smallInteger,
} from "./der.ts";
import { type Algorithm, readAlgorithm } from "./encryption.ts";

export const DATA = "1.2.840.113549.1.7.1";
export const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
export const SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2";
export const CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3";
export const X509_CERTIFICATE = "1.2.840.113549.1.9.22.1";
/** Attributes of a bag. */
export const FRIENDLY_NAME = "1.2.840.113549.1.9.20";
export const LOCAL_KEY_ID = "1.2.840.113549.1.9.21";

export const pfxRefusal = (words: string) => new DerError(`pkcs12: ${words}`);

/** Reads input that must contain one sequence and nothing more. */
export function onlySequence<T>(der: Uint8Array, name: string, read: (fields: DerReader) => T): T {
  const whole = new DerReader(der);
  const value = read(whole.enter(sequence(name)));
  if (!whole.isAtEnd) throw pfxRefusal("trailing data found");
  return value;
}

export function onlyOctets(der: Uint8Array): Uint8Array {
  const whole = new DerReader(der);
  const { content } = whole.next(OCTET_STRING);
  if (!whole.isAtEnd) throw pfxRefusal("trailing data found");
  return content;
}

/** Puts the name of the step before the message of its error. */
export function during<T>(step: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof DerError) throw new DerError(`pkcs12: ${step}: ${error.message}`, error.code);
    throw error;
  }
}

export interface ContentInfo {
  readonly type: string;
  /** Encoded. */
  readonly content: Uint8Array;
}

export function readContentInfo(fields: DerReader): ContentInfo {
  const info = fields.enter(sequence("contentInfo"));
  const type = objectIdentifier(info.next(OBJECT_IDENTIFIER));
  return { type, content: info.optional(context(0, true))?.content ?? new Uint8Array() };
}

export interface MacData {
  readonly digestId: string;
  readonly mac: Uint8Array;
  readonly salt: Uint8Array;
  readonly rounds: number;
}

function readMacData(fields: DerReader): MacData | undefined {
  const found = fields.optional(sequence("macData"));
  if (found === undefined) return undefined;
  const data = new DerReader(found.content);
  const info = data.enter(sequence("digestInfo"));
  const { oid: digestId } = readAlgorithm(info);
  const mac = info.next(OCTET_STRING).content;
  const salt = data.next(OCTET_STRING).content;
  const rounds = data.optional(INTEGER);
  return { digestId, mac, salt, rounds: rounds === undefined ? 1 : smallInteger(rounds) };
}

export interface Pfx {
  readonly authSafe: ContentInfo;
  readonly macData: MacData | undefined;
}

export function readPfx(bytes: Uint8Array): Pfx {
  const { version, ...pfx } = during("error reading P12 data", () =>
    onlySequence(bytes, "pfxPdu", (fields) => ({
      version: smallInteger(fields.next(INTEGER)),
      authSafe: readContentInfo(fields),
      macData: readMacData(fields),
    })),
  );
  if (version !== 3) throw pfxRefusal("can only decode v3 PFX PDU's");
  if (pfx.authSafe.type !== DATA) throw pfxRefusal("only password-protected PFX is implemented");
  return pfx;
}

/** Encrypted bytes and their algorithm. */
export interface Encrypted {
  readonly algorithm: Algorithm;
  readonly encrypted: Uint8Array;
}

export function readEncryptedData(der: Uint8Array): Encrypted {
  const { version, ...data } = onlySequence(der, "encryptedData", (fields) => {
    const version = smallInteger(fields.next(INTEGER));
    const info = fields.enter(sequence("encryptedContentInfo"));
    info.next(OBJECT_IDENTIFIER);
    return { version, algorithm: readAlgorithm(info), encrypted: info.optional(context(0, false))?.content ?? new Uint8Array() };
  });
  if (version !== 0) throw pfxRefusal("only version 0 of EncryptedData is supported");
  return data;
}

export interface SafeBag {
  readonly type: string;
  /** Encoded. */
  readonly value: Uint8Array;
  readonly attributes: DerReader;
}

export function readBag(contents: DerReader): SafeBag {
  const bag = contents.enter(sequence("safeBag"));
  const type = objectIdentifier(bag.next(OBJECT_IDENTIFIER));
  const value = bag.unwrap(0);
  const attributes = bag.optional(set("attributes"));
  return { type, value, attributes: new DerReader(attributes?.content ?? new Uint8Array()) };
}

export function readEncryptedKey({ value }: SafeBag): Encrypted {
  return onlySequence(value, "encryptedPrivateKeyInfo", (info) => ({
    algorithm: readAlgorithm(info),
    encrypted: info.next(OCTET_STRING).content,
  }));
}
