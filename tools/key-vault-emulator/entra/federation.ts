import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { z } from "zod";

import { EmulatorInputError } from "../input-error.ts";

/** Tokens that an application trusts: those of this issuer, for this subject and audience. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

interface IssuerKey {
  readonly kid: string;
  readonly key: KeyObject;
}

export type SignatureCheck = "valid" | "unknown issuer" | "unknown key" | "wrong signature";

/** State of workload identity federation: the keys of issuers, and the credentials of each application. */
export class Federation {
  readonly #keys = new Map<string, readonly IssuerKey[]>();
  readonly #credentials = new Map<string, readonly FederatedCredential[]>();

  /** Replaces the issuer's keys. */
  trust(issuer: string, keys: readonly IssuerKey[]): void {
    this.#keys.set(issuer, keys);
  }

  add(appId: string, credential: FederatedCredential): void {
    this.#credentials.set(appId, [...this.credentialsOf(appId), credential]);
  }

  removeAll(appId: string): void {
    this.#credentials.delete(appId);
  }

  credentialsOf(appId: string): readonly FederatedCredential[] {
    return this.#credentials.get(appId) ?? [];
  }

  /** Checks an RS256 signature, the only algorithm that the caller accepts. */
  check(issuer: string, kid: string | undefined, signed: string, signature: Buffer): SignatureCheck {
    const keys = this.#keys.get(issuer);
    if (keys === undefined) return "unknown issuer";
    const candidates = keys.filter((known) => kid === undefined || known.kid === kid);
    if (candidates.length === 0) return "unknown key";
    return candidates.some(({ key }) => verify("sha256", Buffer.from(signed), key, signature)) ? "valid" : "wrong signature";
  }
}

/** The key's id as Kubernetes computes it for a service-account key: SHA-256 of its SubjectPublicKeyInfo, base64url. */
export function issuerKeyFromPem(pem: string): IssuerKey {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new EmulatorInputError("publicKeyPem: is not a public key in PEM; give the file of --service-account-key-file", { cause });
  }
  const kid = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("base64url");
  return { kid, key };
}

const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) });

/** RFC 7517. */
export function issuerKeysFromJwks(jwks: unknown): readonly IssuerKey[] {
  const parsed = keySet.safeParse(jwks);
  if (!parsed.success) throw new EmulatorInputError("jwks: is not a JSON Web Key Set; give what /openid/v1/jwks answers");
  return parsed.data.keys.map((jwk) => {
    try {
      return { kid: jwk.kid, key: createPublicKey({ key: jwk, format: "jwk" }) };
    } catch (cause) {
      throw new EmulatorInputError(`jwks: the key ${jwk.kid} can't be read`, { cause });
    }
  });
}
