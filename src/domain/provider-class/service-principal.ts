import { decodeBase64 } from "../encodings.ts";
import { isPlaceholder, isSecretPlaceholder } from "../placeholder.ts";
import type { ServicePrincipalIdentity } from "../ports/vault-identity.ts";
import { failed, ok, type Result } from "../result.ts";
import { Sensitive } from "../sensitive.ts";

export interface CredentialsProblem {
  readonly reason: "CredentialsMissing";
  /** The provider's text. Never contains a value. */
  readonly message: string;
  /** Key of the Secret. */
  readonly field: string;
  readonly hint: string;
  /** Whether the key exists but still contains a placeholder. */
  readonly isPlaceholder?: true;
}

/**
 * Returns the spelling of `key` in a credentials Secret. The exact spelling takes precedence. Among other spellings, the first in sort
 * order is used, so that the result is always the same. Undefined if there is none.
 */
export function credentialsKeyIn(data: Readonly<Record<string, string>>, key: string): string | undefined {
  if (Object.hasOwn(data, key)) return key;
  return Object.keys(data)
    .filter((candidate) => candidate.toLowerCase() === key)
    .sort()[0];
}

const CLIENT_ID = "the application (client) id";
const CLIENT_SECRET = "a client secret of the application";

function missing(key: string, hint: string): { readonly ok: false; readonly error: CredentialsProblem } {
  const message = `failed to build auth config for mode None: could not find ${key} in secrets`;
  return failed({ reason: "CredentialsMissing", message, field: `data.${key}`, hint });
}

/** Refuses a placeholder. The provider would sign in with it. */
function unfilled(key: string, what: string): { readonly ok: false; readonly error: CredentialsProblem } {
  const hint = `put ${what} there, in place of the placeholder`;
  return failed({
    reason: "CredentialsMissing",
    message: "the value is still a placeholder",
    field: `data.${key}`,
    hint,
    isPlaceholder: true,
  });
}

const NO_SECRET = "failed to build auth config for mode None: failed to get credentials, nodePublishSecretRef secret is not set";

/**
 * Reads the `data` (base64) of the Secret that `nodePublishSecretRef` names. `data` is undefined if the Secret does not exist. Keys match
 * in any case, and values are not trimmed.
 */
export function readServicePrincipal(
  data: Readonly<Record<string, string>> | undefined,
): Result<ServicePrincipalIdentity, CredentialsProblem> {
  if (data === undefined) {
    return failed({
      reason: "CredentialsMissing",
      message: NO_SECRET,
      field: "data",
      hint: "create it with the keys clientid and clientsecret",
    });
  }
  const decode = (key: string) => {
    const spelling = credentialsKeyIn(data, key);
    const decoded = decodeBase64(new TextEncoder().encode(spelling === undefined ? "" : data[spelling]));
    return decoded.ok ? decoded.value : new Uint8Array();
  };
  const clientId = new TextDecoder().decode(decode("clientid"));
  if (clientId === "") return missing("clientid", `put ${CLIENT_ID} there`);
  const secretBytes = decode("clientsecret");
  const clientSecret = new Sensitive(secretBytes);
  if (clientSecret.byteLength === 0) return missing("clientsecret", `put ${CLIENT_SECRET} there`);
  if (isPlaceholder(clientId)) return unfilled("clientid", CLIENT_ID);
  if (isSecretPlaceholder(new TextDecoder().decode(secretBytes))) return unfilled("clientsecret", CLIENT_SECRET);
  return ok({ kind: "servicePrincipal", clientId, clientSecret });
}
