import { createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Sensitive } from "../domain/sensitive.ts";
import { ownEntry } from "../domain/text-map.ts";
import { keyedHash } from "../runtime/keyed-hash.ts";

/** Name of a Secret. Its fingerprints are valid only for this Secret. */
export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/** Base64 values as the API server returns them. Only the named keys count, and a missing one counts as an empty value. */
export interface EncodedData {
  readonly data: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
}

/** Fingerprints made with the install's own key. */
export interface Fingerprints {
  /**
   * Returns `v2:` + hex. The fingerprint is made with a key of the namespace and bound to the name, so that the fingerprints of two Secrets
   * do not show whether the Secrets contain equal data.
   */
  ofData(place: SecretPlace, data: ReadonlyMap<string, Sensitive>): string;
  /** Returns the same for data as the API server returns it. */
  ofEncoded(place: SecretPlace, encoded: EncodedData): string;
  /**
   * Returns `v1:` + hex, as versions up to 0.3.0 wrote it: the same for equal data in any Secret. Only for recognizing what those versions
   * wrote.
   */
  formerOfData(data: ReadonlyMap<string, Sensitive>): string;
  /** Whether the claimed fingerprint, of either version, is that of the data. A proof behind it makes no difference. */
  isOfData(claimed: string, place: SecretPlace, encoded: EncodedData): boolean;
  /** Returns the fingerprint followed by the proof that this install created the Secret. The proof stays valid if the data changes. */
  withProof(fingerprint: string, place: SecretPlace): string;
  hasProof(claimed: string, place: SecretPlace): boolean;
  /** Returns the hex fingerprint of a record and of everything to which it is bound. */
  ofRecord(parts: readonly string[]): string;
  /** Returns `v1:` + hex, as versions up to 0.3.0 signed the text of a record. */
  formerOfText(text: string): string;
  /** Returns the key for salts that are public and that stay the same as long as their content does. */
  saltKeyOf(namespace: string): Uint8Array;
  /** Unix time in milliseconds. The worker does not trust a record that is younger and has a signature of 0.3.0. */
  readonly formerUntil: number;
}

const FORMER = "v1:";
const PRESENT = "v2:";
const KEY_BYTES = 32;
const FINGERPRINT_LENGTH = PRESENT.length + 2 * KEY_BYTES;

/** Number of namespaces whose keys are kept. Deriving a key takes 13 µs, and every Secret of a list needs one. */
const MOST_NAMESPACES = 10_000;

export function createFingerprints(bytes: Uint8Array, formerUntil: number = Number.POSITIVE_INFINITY): Fingerprints {
  const key = createSecretKey(bytes);
  const derived = (purpose: string): Uint8Array => new Uint8Array(hkdfSync("sha256", key, "keyvault-injector", purpose, KEY_BYTES));
  const recordKey = createSecretKey(derived("records"));
  const namespaceKeys = new Map<string, KeyObject>();
  const ofNamespace = (namespace: string): KeyObject => {
    const known = namespaceKeys.get(namespace);
    if (known !== undefined) return known;
    if (namespaceKeys.size >= MOST_NAMESPACES) namespaceKeys.clear();
    const made = createSecretKey(derived(`secret data in ${namespace}`));
    namespaceKeys.set(namespace, made);
    return made;
  };
  const former = (parts: readonly Uint8Array[]): string => `${FORMER}${hmacOf(key, parts)}`;
  const present = ({ namespace, name }: SecretPlace, parts: readonly Uint8Array[]): string =>
    `${PRESENT}${hmacOf(ofNamespace(namespace), [bytesOf(name), ...parts])}`;
  const proofOf = ({ namespace, name }: SecretPlace): string => hmacOf(ofNamespace(namespace), [bytesOf(`made ${name}`)]);
  return {
    ofData: (place, data) => present(place, partsOf(data)),
    ofEncoded: (place, encoded) => present(place, encodedParts(encoded)),
    formerOfData: (data) => former(partsOf(data)),
    isOfData: (claimed, place, encoded) => {
      const parts = encodedParts(encoded);
      if (isFormer(claimed)) return isSameFingerprint(claimed, former(parts));
      return isSameFingerprint(claimed.slice(0, FINGERPRINT_LENGTH), present(place, parts));
    },
    withProof: (fingerprint, place) => `${fingerprint}:${proofOf(place)}`,
    hasProof: (claimed, place) => claimed.startsWith(PRESENT) && isSameFingerprint(claimed.slice(FINGERPRINT_LENGTH + 1), proofOf(place)),
    ofRecord: (parts) => hmacOf(recordKey, parts.map(bytesOf)),
    formerOfText: (value) => former([bytesOf(value)]),
    saltKeyOf: (namespace) => derived(`salts in ${namespace}`),
    formerUntil,
  };
}

/** Whether a version up to 0.3.0 made the fingerprint. */
export function isFormer(fingerprint: string): boolean {
  return fingerprint.startsWith(FORMER);
}

/** Compares two fingerprints, in the same time for every wrong guess. */
export function isSameFingerprint(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

function hmacOf(key: KeyObject, parts: readonly Uint8Array[]): string {
  return Buffer.from(keyedHash(key, parts)).toString("hex");
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

function partsOf(data: ReadonlyMap<string, Sensitive>): readonly Uint8Array[] {
  return [...data].sort(byName).flatMap(([name, value]) => [bytesOf(name), value.reveal()]);
}

function encodedParts({ data, keys }: EncodedData): readonly Uint8Array[] {
  return [...keys].sort().flatMap((name) => [bytesOf(name), Buffer.from(ownEntry(data, name) ?? "", "base64")]);
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
