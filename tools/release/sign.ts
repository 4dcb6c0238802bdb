/**
 * Signs as Sigstore bundles, which cosign 3 verifies: with a key if one is given, otherwise with the identity of the CI job. The second way
 * is untested, because it needs a job with an identity, and Sigstore's public services.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign as signBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleToJSON } from "@sigstore/bundle";
import {
  CIContextProvider,
  DEFAULT_FULCIO_URL,
  DEFAULT_REKOR_URL,
  DSSEBundleBuilder,
  FulcioSigner,
  RekorWitness,
  type Signer,
} from "@sigstore/sign";
import type { Statement } from "./provenance.ts";

const IN_TOTO = "application/vnd.in-toto+json";

/** Signs a statement, and returns the bundle as JSON text. */
export type Sign = (statement: Statement) => Promise<string>;

export interface SigningChoice {
  /** PEM file of a P-256 key, PKCS#8 or SEC 1. */
  readonly key: string | undefined;
  /** Passphrase of an encrypted key. */
  readonly passphrase: string | undefined;
  /** Whether the CI job has an identity. */
  readonly hasIdentity: boolean;
}

/** Undefined if neither a key nor an identity is available. Throws if cosign cannot verify signatures of the key. */
export function signing({ key, passphrase, hasIdentity }: SigningChoice): Sign | undefined {
  if (key !== undefined) return signWith(new DSSEBundleBuilder({ signer: keySigner(readKey(key, passphrase)), witnesses: [] }));
  if (!hasIdentity) return undefined;
  const signer = new FulcioSigner({ fulcioBaseURL: DEFAULT_FULCIO_URL, identityProvider: new CIContextProvider("sigstore") });
  return signWith(new DSSEBundleBuilder({ signer, witnesses: [new RekorWitness({ rekorBaseURL: DEFAULT_REKOR_URL })] }));
}

function signWith(builder: DSSEBundleBuilder): Sign {
  return async (statement) =>
    JSON.stringify(bundleToJSON(await builder.create({ data: Buffer.from(JSON.stringify(statement)), type: IN_TOTO })));
}

function readKey(file: string, passphrase: string | undefined): KeyObject {
  const key = createPrivateKey({ key: readFileSync(file), ...(passphrase === undefined ? {} : { passphrase }) });
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new Error(`${file} is no P-256 key: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`);
  return key;
}

function keySigner(key: KeyObject): Signer {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  return {
    sign: async (data) => ({ signature: signBytes("sha256", data, key), key: { $case: "publicKey", publicKey, hint: "" } }),
  };
}
