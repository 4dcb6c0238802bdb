/** A PKCS#12 file (RFC 7292) from its bags: what is encrypted, how, and the MAC over all of it. */
import { createCipheriv, pbkdf2Sync } from "node:crypto";
import type { SaltOf, SaltPurpose } from "../../domain/ports/pki.ts";
import { encodePassword, HMAC_WITH_SHA256, macOf, SHA256 } from "../derive.ts";
import { AES_256_CBC, PBES2, PBKDF2 } from "../encryption.ts";
import { CERTIFICATE_BAG, DATA, ENCRYPTED_DATA, SHROUDED_KEY_BAG, X509_CERTIFICATE } from "../pfx.ts";
import {
  algorithm,
  type DerTree,
  explicit,
  implicitOctets,
  integer,
  objectId,
  octetString,
  sequenceOf,
  setOf,
  toDer,
} from "./der-values.ts";
import { refusal } from "./store-input.ts";

/**
 * As OpenSSL writes them. A store takes 5 milliseconds of a processor by them and 22 by keytool's 10,000, and a start may have thousands of stores to
 * write. More would slow guesses of a weak password by no more than that factor; usually the password lies in the same Secret.
 */
const ROUNDS = 2_048;

const [SALT_BYTES, KEY_BYTES] = [16, 32] as const;

/** Where all that is not in the bags comes from. */
export interface Sealing {
  readonly password: string;
  readonly saltOf: SaltOf;
}

function saltFor(purpose: SaltPurpose, saltOf: SaltOf): Uint8Array {
  const salt = saltOf(purpose);
  if (salt.length < SALT_BYTES) throw refusal(`the ${purpose} has ${salt.length} bytes, and ${SALT_BYTES} are needed`);
  return salt.subarray(0, SALT_BYTES);
}

interface Encrypted {
  readonly scheme: DerTree;
  readonly encrypted: Uint8Array;
}

function encrypt(plain: Uint8Array, what: "certificates" | "key", { password, saltOf }: Sealing): Encrypted {
  const salt = saltFor(`${what} salt`, saltOf);
  const vector = saltFor(`${what} vector`, saltOf);
  const cipher = createCipheriv("aes-256-cbc", pbkdf2Sync(encodePassword(password).utf8, salt, ROUNDS, KEY_BYTES, "sha256"), vector);
  const derivation = sequenceOf(octetString(salt), integer(ROUNDS), algorithm(HMAC_WITH_SHA256));
  return {
    scheme: algorithm(PBES2, sequenceOf(algorithm(PBKDF2, derivation), algorithm(AES_256_CBC, octetString(vector)))),
    encrypted: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

export function attribute(type: string, value: DerTree): DerTree {
  return sequenceOf(objectId(type), setOf(value));
}

function bag(type: string, value: DerTree, attributes: readonly DerTree[]): DerTree {
  return sequenceOf(objectId(type), explicit(value), ...(attributes.length === 0 ? [] : [setOf(...attributes)]));
}

export function certificateBag(der: Uint8Array, attributes: readonly DerTree[]): DerTree {
  return bag(CERTIFICATE_BAG, sequenceOf(objectId(X509_CERTIFICATE), explicit(octetString(der))), attributes);
}

export function keyBag(pkcs8: Uint8Array, attributes: readonly DerTree[], sealing: Sealing): DerTree {
  const { scheme, encrypted } = encrypt(pkcs8, "key", sealing);
  return bag(SHROUDED_KEY_BAG, sequenceOf(scheme, octetString(encrypted)), attributes);
}

/** Content that is open; keys in it are encrypted by themselves. */
export function openContent(...bags: readonly DerTree[]): DerTree {
  return sequenceOf(objectId(DATA), explicit(octetString(toDer(sequenceOf(...bags)))));
}

export function encryptedContent(bags: readonly DerTree[], sealing: Sealing): DerTree {
  const { scheme, encrypted } = encrypt(toDer(sequenceOf(...bags)), "certificates", sealing);
  return sequenceOf(
    objectId(ENCRYPTED_DATA),
    explicit(sequenceOf(integer(0), sequenceOf(objectId(DATA), scheme, implicitOctets(encrypted)))),
  );
}

/** The whole file. */
export function pfxOf(contents: readonly DerTree[], { password, saltOf }: Sealing): Uint8Array {
  const message = toDer(sequenceOf(...contents));
  const salt = saltFor("mac salt", saltOf);
  const mac = macOf(message, { digest: "sha256", password: encodePassword(password), salt, rounds: ROUNDS });
  const macData = sequenceOf(sequenceOf(algorithm(SHA256), octetString(mac)), octetString(salt), integer(ROUNDS));
  return toDer(sequenceOf(integer(3), sequenceOf(objectId(DATA), explicit(octetString(message))), macData));
}
