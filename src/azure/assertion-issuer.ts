import { valueAt } from "../domain/json-members.ts";
import { parsedJson } from "../domain/json-object.ts";

const MAX_TOKEN_LENGTH = 16_384;

/** Issuers that a message may show: an address, without characters that could be taken for something else. */
const ISSUER = /^https?:\/\/[\w.~:/%@-]{1,300}$/;

/**
 * Returns the issuer that the claims of a JSON web token name; the claims are not secret. Returns undefined for any other text, and never
 * throws.
 */
export function issuerOf(token: string): string | undefined {
  const [, claims, ...rest] = token.length > MAX_TOKEN_LENGTH ? [] : token.split(".");
  if (claims === undefined || rest.length !== 1) return undefined;
  const issuer = valueAt(parsedJson(Buffer.from(claims, "base64url").toString("utf8")), ["iss"]);
  return typeof issuer === "string" && ISSUER.test(issuer) ? issuer : undefined;
}
