import type { Secret } from "../../domain/kubernetes.ts";

/** As the worker makes it. */
const ENTRY = "hmac.key";
const KEY_BYTES = 32;

/** The install's key for fingerprints, in memory only; undefined where the Secret holds none. */
export function readHmacKey(secret: Secret): Uint8Array | undefined {
  const key = Buffer.from(secret.data?.[ENTRY] ?? "", "base64");
  return key.byteLength === KEY_BYTES ? key : undefined;
}
