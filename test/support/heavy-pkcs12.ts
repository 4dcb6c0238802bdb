import { explicit, implicit, integer, nullValue, objectId, octetString, sequence } from "../../tools/key-vault-emulator/pki/der.ts";

/** Asked for the rounds twice: no encoding of the empty password fits. `salt` tells files apart. */
export interface HeavyFile {
  readonly rounds: number;
  readonly salt?: number;
  /** Of an encrypted part behind it, which is reached by nobody. */
  readonly hidden?: number;
}

/** A small PKCS#12 file that takes long to open, and then holds nothing. */
export function heavyPkcs12({ rounds, salt = 7, hidden }: HeavyFile): Buffer {
  const sha512 = sequence(objectId("2.16.840.1.101.3.4.2.3"), nullValue());
  const mac = sequence(sequence(sha512, octetString(Buffer.alloc(64, 1))), octetString(Buffer.alloc(8, salt)), integer(rounds));
  const contents = hidden === undefined ? [] : [encryptedPart(hidden)];
  const data = sequence(objectId("1.2.840.113549.1.7.1"), explicit(0, octetString(sequence(...contents))));
  return sequence(integer(3), data, mac);
}

function encryptedPart(rounds: number): Buffer {
  const algorithm = sequence(objectId("1.2.840.113549.1.12.1.3"), sequence(octetString(Buffer.alloc(8)), integer(rounds)));
  const info = sequence(objectId("1.2.840.113549.1.7.1"), algorithm, implicit(0, Buffer.alloc(8)));
  const encrypted = sequence(integer(0), info);
  return sequence(objectId("1.2.840.113549.1.7.6"), explicit(0, encrypted));
}
