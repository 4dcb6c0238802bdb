import { decodeBase64 } from "../content/encodings.ts";
import type { ServicePrincipalIdentity } from "../ports/vault-identity.ts";
import { failed, ok, type Result } from "../result.ts";
import { Sensitive } from "../sensitive.ts";

export interface CredentialsProblem {
  readonly reason: "CredentialsMissing";
  /** The provider's text; never a value. */
  readonly message: string;
  /** Key of the Secret. */
  readonly field: string;
  readonly hint: string;
}

/** The exact spelling wins over another one; among others the first in order, so that the answer is always the same. */
function find(data: Readonly<Record<string, string>>, key: string): string | undefined {
  if (Object.hasOwn(data, key)) return data[key];
  const spelling = Object.keys(data)
    .filter((candidate) => candidate.toLowerCase() === key)
    .sort()[0];
  return spelling === undefined ? undefined : data[spelling];
}

function missing(key: string, hint: string): { readonly ok: false; readonly error: CredentialsProblem } {
  const message = `failed to build auth config for mode None: could not find ${key} in secrets`;
  return failed({ reason: "CredentialsMissing", message, field: `data.${key}`, hint });
}

const NO_SECRET = "failed to build auth config for mode None: failed to get credentials, nodePublishSecretRef secret is not set";

/**
 * From the `data` (base64) of the Secret that `nodePublishSecretRef` names, undefined where there is no such Secret; keys in any case,
 * values as they are.
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
    const decoded = decodeBase64(new TextEncoder().encode(find(data, key) ?? ""));
    return decoded.ok ? decoded.value : new Uint8Array();
  };
  const clientId = new TextDecoder().decode(decode("clientid"));
  if (clientId === "") return missing("clientid", "put the application (client) id there");
  const clientSecret = new Sensitive(decode("clientsecret"));
  if (clientSecret.byteLength === 0) return missing("clientsecret", "put a client secret of the application there");
  return ok({ kind: "servicePrincipal", clientId, clientSecret });
}
