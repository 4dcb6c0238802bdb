import { createHmac, timingSafeEqual } from "node:crypto";
import type { Sensitive } from "../domain/sensitive.ts";

/** Fingerprints made with the install's own key; `v1:` + hex. */
export interface Fingerprints {
  ofData(data: ReadonlyMap<string, Sensitive>): string;
  /** Base64 values, as the API server has them. Only the named keys count; a missing one makes another fingerprint. */
  ofEncodedData(data: Readonly<Record<string, string>>, keys: readonly string[]): string;
  ofText(text: string): string;
}

export function createFingerprints(key: Uint8Array): Fingerprints {
  const seal = (parts: readonly Uint8Array[]): string => {
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(lengthOf(part)).update(part);
    return `v1:${hmac.digest("hex")}`;
  };
  const text = new TextEncoder();
  return {
    ofData: (data) => seal([...data].sort(byName).flatMap(([name, value]) => [text.encode(name), value.reveal()])),
    ofEncodedData: (data, keys) => seal([...keys].sort().flatMap((name) => [text.encode(name), Buffer.from(data[name] ?? "", "base64")])),
    ofText: (value) => seal([text.encode(value)]),
  };
}

/** Equality that takes the same time for every wrong guess. */
export function isSameFingerprint(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

/** Lengths go in front, so that ("ab", "c") and ("a", "bc") differ. */
function lengthOf(part: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.byteLength);
  return length;
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
