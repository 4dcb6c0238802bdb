/**
 * PKCS#12 (RFC 7292) with the empty password, as Key Vault provides certificates, or with another one. Reads what Go's x/crypto/pkcs12
 * reads, with its limits and words, and also PBES2 and newer digests.
 */
import { timingSafeEqual } from "node:crypto";
import { DerivationBudget } from "../domain/derivation-budget.ts";
import type { DecodingProblem, PemBlock } from "../domain/ports/pki.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import { DerError, DerReader, OBJECT_IDENTIFIER, OCTET_STRING, objectIdentifier, sequence } from "./der.ts";
import { DIGESTS, EMPTY_PASSWORDS, encodePassword, macOf, type Password } from "./derive.ts";
import { decrypt, type Opening, roundsOf, spend } from "./encryption.ts";
import {
  CERTIFICATE_BAG,
  type ContentInfo,
  DATA,
  during,
  ENCRYPTED_DATA,
  FRIENDLY_NAME,
  LOCAL_KEY_ID,
  type MacData,
  onlyOctets,
  onlySequence,
  pfxRefusal,
  readBag,
  readContentInfo,
  readEncryptedData,
  readEncryptedKey,
  readPfx,
  type SafeBag,
  SHROUDED_KEY_BAG,
  X509_CERTIFICATE,
} from "./pfx.ts";
import { readPrivateKey } from "./private-key.ts";

/** The caller's terms for opening a file. */
interface Terms {
  readonly budget: DerivationBudget;
  /** Undefined for a file from a vault, which has the empty password. */
  readonly password: string | undefined;
}

/** Returns the password in the encoding with which the file was made: the empty password has two. */
function findPassword(macData: MacData, message: Uint8Array, { budget, password: text = "" }: Terms): Password {
  const digest = DIGESTS.get(macData.digestId);
  if (digest === undefined) throw pfxRefusal(`unknown digest algorithm: ${macData.digestId}`);
  const { salt, rounds, mac } = macData;
  const isRight = (password: Password) => {
    spend(budget, rounds);
    const expected = macOf(message, { digest, password, salt, rounds });
    return expected.length === mac.length && timingSafeEqual(expected, mac);
  };
  const right = (text === "" ? EMPTY_PASSWORDS : [encodePassword(text)]).find(isRight);
  if (right === undefined) throw pfxRefusal("decryption password incorrect");
  return right;
}

function openContent({ type, content }: ContentInfo, opening: Opening): Uint8Array {
  if (type === DATA) return onlyOctets(content);
  if (type !== ENCRYPTED_DATA) throw pfxRefusal("only data and encryptedData content types are supported in authenticated safe");
  const { algorithm, encrypted } = readEncryptedData(content);
  return decrypt(algorithm, encrypted, opening);
}

const hex = (value: Uint8Array) => Buffer.from(value).toString("hex");

function bmpText(value: Uint8Array): string {
  if (value.length % 2 !== 0) throw pfxRefusal("odd-length BMP string");
  return Buffer.from(value).swap16().toString("utf16le").replace(/\0$/, "");
}

/** Attributes that become headers of the PEM block. Others are left out. */
const HEADERS: ReadonlyMap<string, { readonly name: string; readonly text: (value: DerReader) => string }> = new Map([
  [FRIENDLY_NAME, { name: "friendlyName", text: (value: DerReader) => bmpText(value.any().content) }],
  [LOCAL_KEY_ID, { name: "localKeyId", text: (value: DerReader) => hex(value.next(OCTET_STRING).content) }],
  ["1.3.6.1.4.1.311.17.1", { name: "Microsoft CSP Name", text: (value: DerReader) => bmpText(value.any().content) }],
]);

function readHeader(attributes: DerReader): readonly [string, string] | undefined {
  const attribute = attributes.enter(sequence("pkcs12Attribute"));
  const header = HEADERS.get(objectIdentifier(attribute.next(OBJECT_IDENTIFIER)));
  const value = new DerReader(attribute.any().content);
  if (header === undefined) return undefined;
  const text = header.text(value);
  if (!value.isAtEnd) throw pfxRefusal("trailing data found");
  return [header.name, text];
}

function headersOf({ attributes }: SafeBag): ReadonlyMap<string, string> {
  return new Map(attributes.each(readHeader).filter((header) => header !== undefined));
}

function certificateOf({ value }: SafeBag): Uint8Array {
  const { type, content } = during("error decoding cert bag", () =>
    onlySequence(value, "certBag", (bag) => ({
      type: objectIdentifier(bag.next(OBJECT_IDENTIFIER)),
      content: new DerReader(bag.unwrap(0)).next(OCTET_STRING).content,
    })),
  );
  if (type !== X509_CERTIFICATE) throw pfxRefusal("only X509 certificates are supported");
  return content;
}

function keyOf(bag: SafeBag, opening: Opening): Uint8Array {
  const { algorithm, encrypted } = during("error decoding PKCS#8 shrouded key bag", () => readEncryptedKey(bag));
  const pkcs8 = during("error decrypting PKCS#8 shrouded key bag", () => decrypt(algorithm, encrypted, opening));
  const key = readPrivateKey(pkcs8);
  if (key === undefined) throw pfxRefusal("error parsing PKCS#8 private key: it is broken, or of an unknown kind");
  if (key.kind === "other") throw new DerError("found unknown private key type in PKCS#8 wrapping");
  return key.traditional;
}

function toBlock(bag: SafeBag, opening: Opening): PemBlock {
  const headers = headersOf(bag);
  if (bag.type === CERTIFICATE_BAG) return { type: "CERTIFICATE", headers, der: certificateOf(bag) };
  if (bag.type === SHROUDED_KEY_BAG) return { type: "PRIVATE KEY", headers, der: keyOf(bag, opening) };
  throw new DerError(`don't know how to convert a safe bag of type ${bag.type}`);
}

function readBlocks(bytes: Uint8Array, terms: Terms): readonly PemBlock[] {
  const { budget, password } = terms;
  const { authSafe, macData } = readPfx(bytes);
  const wrapped = new DerReader(authSafe.content);
  const message = wrapped.any().content;
  if (!wrapped.isAtEnd) throw pfxRefusal("trailing data found");
  if (macData === undefined) throw new DerError("pkcs12: no MAC in data");
  // The budget must allow all rounds that the file declares, before the first round.
  const tooMuch = budget.refusal(declaredRounds(macData, message));
  if (tooMuch !== undefined) throw new DerError(tooMuch, "TooManyRounds");
  const opening = { password: findPassword(macData, message, terms), budget };
  const contents = onlySequence(message, "authenticatedSafe", (safe) => safe.each(readContentInfo));
  // Go's rule for files from a vault. Java writes a store that contains only certificates as one item.
  if (password === undefined && contents.length !== 2) throw pfxRefusal("expected exactly two items in the authenticated safe");
  const bags = contents.flatMap((content) => onlySequence(openContent(content, opening), "safeContents", (safe) => safe.each(readBag)));
  return bags.map((bag) => toBlock(bag, opening));
}

/**
 * Returns certificates and keys in the order of the file, as PEM blocks: keys as PKCS#1 or SEC 1 with the type `PRIVATE KEY`, names and ids
 * as headers.
 */
export function decodePkcs12(
  bytes: Uint8Array,
  budget = new DerivationBudget(),
  password?: string,
): Result<readonly PemBlock[], DecodingProblem> {
  try {
    return ok(readBlocks(bytes, { budget, password }));
  } catch (error) {
    if (error instanceof DerError) return failed({ code: error.code, message: error.message });
    throw error;
  }
}

/** Returns 0 for a broken part. Opening the file reports it later, in the order and the words of the upstream libraries. */
function orNone(rounds: () => number): number {
  try {
    return rounds();
  } catch (error) {
    if (error instanceof DerError) return 0;
    throw error;
  }
}

const sum = <T>(items: readonly T[], rounds: (item: T) => number): number =>
  items.reduce((all, item) => all + orNone(() => rounds(item)), 0);

function roundsOfContent({ type, content }: ContentInfo): number {
  if (type === ENCRYPTED_DATA) return roundsOf(readEncryptedData(content).algorithm);
  if (type !== DATA) return 0;
  const bags = onlySequence(onlyOctets(content), "safeContents", (safe) => safe.each(readBag));
  return sum(bags, (bag) => (bag.type === SHROUDED_KEY_BAG ? roundsOf(readEncryptedKey(bag).algorithm) : 0));
}

/**
 * Returns the minimum of rounds: encrypted content may contain more keys, and a second encoding of the empty password may have to be tried.
 */
function declaredRounds({ rounds }: MacData, message: Uint8Array): number {
  const contents = () => onlySequence(message, "authenticatedSafe", (safe) => safe.each(readContentInfo));
  return Math.max(1, rounds) + orNone(() => sum(contents(), roundsOfContent));
}
