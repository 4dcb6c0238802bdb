import { z } from "zod";
import {
  audienceNotFederated,
  externalEndpointFailed,
  issuerNotFederated,
  malformedAssertion,
  noFederatedCredential,
  outsideValidity,
  signatureWrong,
  signingKeyUnknown,
  subjectCaseDiffers,
  subjectNotFederated,
  unsupportedKey,
} from "./assertion-errors.ts";
import type { ServicePrincipal } from "./directory.ts";
import { type EntraError, missingParameter } from "./errors.ts";
import type { FederatedCredential, Federation } from "./federation.ts";
import type { Clock } from "./token-issuer.ts";

/** RFC 7523, section 2.2. */
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const headSchema = z.object({ alg: z.string(), kid: z.string().optional() });
const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  nbf: z.number().optional(),
});

type Claims = z.infer<typeof claimsSchema>;

interface Assertion {
  readonly kid: string | undefined;
  readonly algorithm: string;
  readonly claims: Claims;
  readonly signed: string;
  readonly signature: Buffer;
}

export interface AssertionContext {
  readonly principal: ServicePrincipal;
  readonly federation: Federation;
  readonly now: Clock;
}

/** Returns `undefined` for a valid assertion, otherwise the error of the first check that fails. */
export function assertionRefusal(form: URLSearchParams, context: AssertionContext): EntraError | undefined {
  if (form.get("client_assertion_type") !== ASSERTION_TYPE) return missingParameter("client_assertion_type");
  const assertion = parseAssertion(form.get("client_assertion") ?? "");
  if (assertion === undefined) return malformedAssertion();
  if (assertion.algorithm !== "RS256") return unsupportedKey();
  const { claims } = assertion;
  const credentials = context.federation.credentialsOf(context.principal.appId);
  return matchRefusal(claims, credentials) ?? signatureRefusal(assertion, context.federation) ?? timeRefusal(claims, context.now());
}

function parseAssertion(jwt: string): Assertion | undefined {
  const [head = "", payload = "", signature = "", ...rest] = jwt.split(".");
  const [parsedHead, parsedClaims] = [headSchema.safeParse(jsonOf(head)), claimsSchema.safeParse(jsonOf(payload))];
  if (rest.length > 0 || !parsedHead.success || !parsedClaims.success) return undefined;
  return {
    kid: parsedHead.data.kid,
    algorithm: parsedHead.data.alg,
    claims: parsedClaims.data,
    signed: `${head}.${payload}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Compares issuer, then audience, then subject, each with case. */
function matchRefusal({ iss, aud, sub }: Claims, credentials: readonly FederatedCredential[]): EntraError | undefined {
  const audiences = typeof aud === "string" ? [aud] : aud;
  if (credentials.length === 0) return noFederatedCredential({ issuer: iss, subject: sub, audience: audiences.join(", ") });
  const ofIssuer = credentials.filter(({ issuer }) => issuer === iss);
  if (ofIssuer.length === 0) return issuerNotFederated(iss);
  const ofAudience = ofIssuer.filter(({ audience }) => audiences.includes(audience));
  if (ofAudience.length === 0) return audienceNotFederated(audiences.join(", "));
  if (ofAudience.some(({ subject }) => subject === sub)) return undefined;
  const differsInCase = ofAudience.some(({ subject }) => subject.toLowerCase() === sub.toLowerCase());
  return differsInCase ? subjectCaseDiffers(sub) : subjectNotFederated(sub);
}

function signatureRefusal({ claims, kid, signed, signature }: Assertion, federation: Federation): EntraError | undefined {
  switch (federation.check(claims.iss, kid, signed, signature)) {
    case "valid":
      return undefined;
    case "unknown issuer":
      return externalEndpointFailed();
    case "unknown key":
      return signingKeyUnknown(kid ?? "", claims.iss);
    case "wrong signature":
      return signatureWrong();
  }
}

/** Entra tolerates clocks that differ by some minutes. The emulator and the cluster share a clock, so that this check does not. */
function timeRefusal({ nbf = 0, exp }: Claims, now: number): EntraError | undefined {
  return nbf <= now && now < exp ? undefined : outsideValidity({ now, from: nbf, until: exp });
}
