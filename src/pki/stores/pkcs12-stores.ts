/** Key stores and trust stores in PKCS#12. The same input gives the same bytes. */
import { createCipheriv, hash, pbkdf2Sync } from "node:crypto";
import type { KeyStoreInput, Pkcs12TrustStoreInput, SaltOf, SaltPurpose } from "../../domain/ports/pki.ts";
import type { Result } from "../../domain/result.ts";
import { encodePassword, HMAC_WITH_SHA256, macOf, SHA256 } from "../derive.ts";
import { AES_256_CBC, PBES2, PBKDF2 } from "../encryption.ts";
import { CERTIFICATE_BAG, DATA, ENCRYPTED_DATA, FRIENDLY_NAME, LOCAL_KEY_ID, SHROUDED_KEY_BAG, X509_CERTIFICATE } from "../pfx.ts";
import {
  algorithm,
  bmpString,
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
import { checkPassword, orRefusal, readCertificates, readKeyOf, storeRefusal } from "./store-input.ts";

/** Java's alias for the only key of a store if the store does not name it. */
const ALIAS = "1";

/**
 * Encodes a key, its certificate and those of its issuers: AES-256 in CBC mode by PBES2 and a MAC by HMAC, both over SHA-256, as keytool
 * and OpenSSL 3 write it. Java reads it from 8u301, 11.0.12 and 12 on. node-forge's own writer, `toPkcs12Asn1`, is not suitable: it draws
 * salts and vectors from its random generator, so every reconcile would change the Secret. It also accepts only RSA keys, and does not
 * encrypt certificates.
 */
export function encodePkcs12({ certificates, key, ...sealing }: KeyStoreInput): Result<Uint8Array, string> {
  return orRefusal(() => {
    checkPassword(sealing.password);
    const [leaf, ...issuers] = readCertificates(certificates);
    const pkcs8 = readKeyOf(leaf, key);
    // Any value can link the two. OpenSSL uses this one.
    const id = octetString(hash("sha1", leaf.raw, "buffer"));
    const attributes = [attribute(FRIENDLY_NAME, bmpString(ALIAS)), attribute(LOCAL_KEY_ID, id)];
    const bags = [certificateBag(leaf.raw, attributes), ...issuers.map(({ raw }) => certificateBag(raw, []))];
    return pfxOf([encryptedContent(bags, sealing), openContent(keyBag(pkcs8, attributes, sealing))], sealing);
  });
}

/**
 * Oracle's attribute. For Java, a certificate without a key is an entry only if it has this attribute, which also names the purposes for
 * which the certificate is trusted.
 */
const TRUSTED_KEY_USAGE = "2.16.840.1.113894.746875.1.1";
const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";

/** Encodes certificates that Java trusts, with their numbers as aliases. Encrypts and authenticates them as {@link encodePkcs12} does. */
export function encodePkcs12TrustStore({ certificates, ...sealing }: Pkcs12TrustStoreInput): Result<Uint8Array, string> {
  return orRefusal(() => {
    checkPassword(sealing.password);
    const bags = readCertificates(certificates).map(({ raw }, index) => {
      const alias = attribute(FRIENDLY_NAME, bmpString(String(index + 1)));
      return certificateBag(raw, [alias, attribute(TRUSTED_KEY_USAGE, objectId(ANY_EXTENDED_KEY_USAGE))]);
    });
    return pfxOf([encryptedContent(bags, sealing)], sealing);
  });
}

/**
 * OpenSSL's number. A store takes 5 milliseconds of a processor with it and 22 with keytool's 10,000, and a start may have thousands of
 * stores to write. More rounds would slow down guesses of a weak password by no more than that factor, and usually the password is in the
 * same Secret.
 */
const ROUNDS = 2_048;

const [SALT_BYTES, KEY_BYTES] = [16, 32] as const;

/** Source of everything that is not in the bags. */
interface Sealing {
  readonly password: string;
  readonly saltOf: SaltOf;
}

function saltFor(purpose: SaltPurpose, saltOf: SaltOf): Uint8Array {
  const salt = saltOf(purpose);
  if (salt.length < SALT_BYTES) throw storeRefusal(`the ${purpose} has ${salt.length} bytes, and ${SALT_BYTES} are needed`);
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

function attribute(type: string, value: DerTree): DerTree {
  return sequenceOf(objectId(type), setOf(value));
}

function bag(type: string, value: DerTree, attributes: readonly DerTree[]): DerTree {
  return sequenceOf(objectId(type), explicit(value), ...(attributes.length === 0 ? [] : [setOf(...attributes)]));
}

function certificateBag(der: Uint8Array, attributes: readonly DerTree[]): DerTree {
  return bag(CERTIFICATE_BAG, sequenceOf(objectId(X509_CERTIFICATE), explicit(octetString(der))), attributes);
}

function keyBag(pkcs8: Uint8Array, attributes: readonly DerTree[], sealing: Sealing): DerTree {
  const { scheme, encrypted } = encrypt(pkcs8, "key", sealing);
  return bag(SHROUDED_KEY_BAG, sequenceOf(scheme, octetString(encrypted)), attributes);
}

/** Returns content without encryption. Keys in it are encrypted individually. */
function openContent(...bags: readonly DerTree[]): DerTree {
  return sequenceOf(objectId(DATA), explicit(octetString(toDer(sequenceOf(...bags)))));
}

function encryptedContent(bags: readonly DerTree[], sealing: Sealing): DerTree {
  const { scheme, encrypted } = encrypt(toDer(sequenceOf(...bags)), "certificates", sealing);
  return sequenceOf(
    objectId(ENCRYPTED_DATA),
    explicit(sequenceOf(integer(0), sequenceOf(objectId(DATA), scheme, implicitOctets(encrypted)))),
  );
}

function pfxOf(contents: readonly DerTree[], { password, saltOf }: Sealing): Uint8Array {
  const message = toDer(sequenceOf(...contents));
  const salt = saltFor("mac salt", saltOf);
  const mac = macOf(message, { digest: "sha256", password: encodePassword(password), salt, rounds: ROUNDS });
  const macData = sequenceOf(sequenceOf(algorithm(SHA256), octetString(mac)), octetString(salt), integer(ROUNDS));
  return toDer(sequenceOf(integer(3), sequenceOf(objectId(DATA), explicit(octetString(message))), macData));
}
