import { TAGS, writeDer, writeObjectIdentifier, writeSmallInteger } from "../../src/pki/der-writer.ts";

const sequence = (...parts: readonly Uint8Array[]) => writeDer(TAGS.sequence, ...parts);
const octets = (bytes: Uint8Array) => writeDer(TAGS.octetString, bytes);

function integer(value: number): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return writeDer(TAGS.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

/** Asked for the rounds twice: no encoding of the empty password fits. `salt` tells files apart. */
export interface HeavyFile {
  readonly rounds: number;
  readonly salt?: number;
  /** Of an encrypted part behind it, which is reached by nobody. */
  readonly hidden?: number;
}

/** A small PKCS#12 file that takes long to open, and then holds nothing. */
export function heavyPkcs12({ rounds, salt = 7, hidden }: HeavyFile): Uint8Array {
  const sha512 = sequence(writeObjectIdentifier("2.16.840.1.101.3.4.2.3"), writeDer(TAGS.null));
  const mac = sequence(sequence(sha512, octets(Buffer.alloc(64, 1))), octets(Buffer.alloc(8, salt)), integer(rounds));
  const contents = hidden === undefined ? [] : [encryptedPart(hidden)];
  const data = sequence(writeObjectIdentifier("1.2.840.113549.1.7.1"), writeDer(0xa0, octets(sequence(...contents))));
  return sequence(writeSmallInteger(3), data, mac);
}

function encryptedPart(rounds: number): Uint8Array {
  const algorithm = sequence(writeObjectIdentifier("1.2.840.113549.1.12.1.3"), sequence(octets(Buffer.alloc(8)), integer(rounds)));
  const info = sequence(writeObjectIdentifier("1.2.840.113549.1.7.1"), algorithm, writeDer(0x80, Buffer.alloc(8)));
  const encrypted = sequence(writeSmallInteger(0), info);
  return sequence(writeObjectIdentifier("1.2.840.113549.1.7.6"), writeDer(0xa0, encrypted));
}
