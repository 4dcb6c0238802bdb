import { type Digest, SHA1 } from "./password.ts";

const SHA224: Digest = { name: "sha224", size: 28, block: 64 };
const SHA256: Digest = { name: "sha256", size: 32, block: 64 };
const SHA384: Digest = { name: "sha384", size: 48, block: 128 };
const SHA512: Digest = { name: "sha512", size: 64, block: 128 };

/** By the identifier of the digest. */
export const DIGESTS: ReadonlyMap<string, Digest> = new Map([
  ["1.3.14.3.2.26", SHA1],
  ["2.16.840.1.101.3.4.2.4", SHA224],
  ["2.16.840.1.101.3.4.2.1", SHA256],
  ["2.16.840.1.101.3.4.2.2", SHA384],
  ["2.16.840.1.101.3.4.2.3", SHA512],
]);

/** By the identifier of HMAC with the digest, as PBKDF2 names it. */
export const DIGESTS_BY_PRF: ReadonlyMap<string, Digest> = new Map([
  ["1.2.840.113549.2.7", SHA1],
  ["1.2.840.113549.2.8", SHA224],
  ["1.2.840.113549.2.9", SHA256],
  ["1.2.840.113549.2.10", SHA384],
  ["1.2.840.113549.2.11", SHA512],
]);
