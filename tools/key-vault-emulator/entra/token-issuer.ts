import { createHash, createPublicKey, generateKeyPair, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { promisify } from "node:util";

import type { Cloud } from "../network/clouds.ts";
import type { ServicePrincipal } from "./directory.ts";

/** Claims on which the data plane bases its decision. Times in Unix seconds. */
export interface Claims {
  readonly aud: string;
  readonly iss: string;
  readonly nbf: number;
  readonly exp: number;
  readonly appid: string;
  readonly oid: string;
  readonly tid: string;
}

export type Verification =
  | { readonly kind: "valid"; readonly claims: Claims }
  | { readonly kind: "forged" }
  | { readonly kind: "expired"; readonly claims: Claims };

export interface TokenGrant {
  readonly principal: ServicePrincipal;
  readonly cloud: Cloud;
  readonly audience: string;
}

/** Time in Unix seconds. A parameter, so that issuing and verification use one clock. */
export type Clock = () => number;

const MOST_CHECKED = 1_000;

/** Issues and verifies v1.0-style access tokens with its own key (RS256). */
export class TokenIssuer {
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #now: Clock;
  /** Claims of tokens with a verified signature. Clients send the same token with every request. */
  readonly #checked = new Map<string, Claims>();
  #lifetime: number;

  private constructor(privateKey: KeyObject, now: Clock, lifetime: number) {
    this.#key = privateKey;
    this.#publicKey = createPublicKey(privateKey);
    this.#keyId = createHash("sha1")
      .update(this.#publicKey.export({ type: "spki", format: "der" }))
      .digest("base64url");
    this.#now = now;
    this.#lifetime = lifetime;
  }

  /** `given` is an RSA key. Without it, creates a new one. */
  static async create(now: Clock, lifetimeSeconds: number, given?: KeyObject): Promise<TokenIssuer> {
    const key = given ?? (await promisify(generateKeyPair)("rsa", { modulusLength: 2048 })).privateKey;
    return new TokenIssuer(key, now, lifetimeSeconds);
  }

  get now(): Clock {
    return this.#now;
  }

  get lifetimeSeconds(): number {
    return this.#lifetime;
  }

  /** Applies to tokens issued after the call. */
  set lifetimeSeconds(seconds: number) {
    this.#lifetime = seconds;
  }

  issue({ principal, cloud, audience }: TokenGrant): string {
    const now = this.#now();
    const issuer = issuerOf(cloud, principal.tenantId);
    const head = { typ: "JWT", alg: "RS256", x5t: this.#keyId, kid: this.#keyId };
    const claims: Claims & Record<string, string | number> = {
      aud: audience,
      iss: issuer,
      iat: now,
      nbf: now,
      exp: now + this.#lifetime,
      appid: principal.appId,
      appidacr: "1",
      idp: issuer,
      oid: principal.objectId,
      sub: principal.objectId,
      tid: principal.tenantId,
      uti: randomBytes(16).toString("base64url"),
      ver: "1.0",
    };
    const signed = `${encode(head)}.${encode(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), this.#key).toString("base64url")}`;
  }

  verify(token: string): Verification {
    const claims = this.#checked.get(token) ?? this.#claimsOf(token);
    if (claims === undefined) return { kind: "forged" };
    if (this.#checked.size >= MOST_CHECKED) this.#checked.clear();
    this.#checked.set(token, claims);
    return claims.exp > this.#now() ? { kind: "valid", claims } : { kind: "expired", claims };
  }

  /** Undefined if this issuer did not sign the token. */
  #claimsOf(token: string): Claims | undefined {
    const [head = "", payload = "", signature = "", ...rest] = token.split(".");
    const isOurs =
      rest.length === 0 && verify("sha256", Buffer.from(`${head}.${payload}`), this.#publicKey, Buffer.from(signature, "base64url"));
    // This issuer signed the token, so that the payload is a set of claims that `issue` wrote.
    return isOurs ? (JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Claims) : undefined;
  }

  /** The `jwks_uri` document. */
  keySet(): unknown {
    return { keys: [{ ...this.#publicKey.export({ format: "jwk" }), use: "sig", kid: this.#keyId, x5t: this.#keyId }] };
  }
}

export function issuerOf(cloud: Cloud, tenantId: string): string {
  return `https://${cloud.issuerHost}/${tenantId}/`;
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
