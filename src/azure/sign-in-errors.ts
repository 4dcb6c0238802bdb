/** Reasons why there is no token, by the kind of identity that requested it, and the origin of each failure. */
import { FEDERATION_AUDIENCE } from "../domain/federation.ts";
import { valueAt } from "../domain/json-members.ts";
import { BACKOFF, NEVER } from "../domain/ports/retry.ts";
import { VaultError, type VaultErrorOrigin } from "../domain/ports/vault-error.ts";
import { AnswerTooLarge } from "./answer-size.ts";
import type { CallTimeout } from "./bounded-call.ts";
import { networkRemedy, proxyWords } from "./network-words.ts";
import { chainOf, entraCode, retryAsAsked, UNREADABLE } from "./service-answer.ts";
import { isUnusable, type SignInTrace } from "./sign-in-trace.ts";
import type { VaultRequest, VaultVerdict } from "./vault-request.ts";

type Asking = Pick<VaultRequest, "address" | "identity" | "assertion">;

/** There is no token. The SDK passes this error to the caller that queried the vault. Never leaves this folder. */
export class SignInError extends Error {
  override readonly name = "SignInError";
  readonly verdict: VaultVerdict;

  constructor(verdict: VaultVerdict) {
    super(verdict.words);
    this.verdict = verdict;
  }
}

/** Turns every failure of a sign-in into a `SignInError`. `traced` is the result of its last request. */
export function translateSignInError(error: unknown, asking: Asking, traced: SignInTrace): SignInError {
  const chain = chainOf(error);
  // The SDK accepts no policy for requests to the metadata service, but its error contains the status.
  const trace = asking.identity.kind === "managedIdentity" ? { status: statusIn(chain) } : traced;
  // The ServiceAccount has no token, and this error already reports it.
  const ours = chain.find((link) => link instanceof VaultError);
  if (ours !== undefined) {
    const { message, retry, origin, serviceCode } = ours;
    return new SignInError({ code: ours.code, retry, origin, words: message, serviceCode });
  }
  const unusable = chain.find(isUnusable) ?? trace.unusable;
  if (unusable !== undefined) return unanswered(asking, `${wordsOf(unusable)}; check the network path from the cluster`);
  const code = trace.entraCode ?? entraCode(error);
  return new SignInError(
    ofTenant(chain, asking) ??
      ofBusy(trace, code, asking) ??
      ofMetadataService(error, asking) ??
      (code === undefined ? undefined : ofEntra(code, asking)) ??
      ofTrace(trace, asking) ??
      unknown(error, asking),
  );
}

function wordsOf(error: CallTimeout | AnswerTooLarge): string {
  return error instanceof AnswerTooLarge ? `no valid response (${error.message})` : error.message;
}

/** Returns the identity's name in messages. */
export function who({ address, identity }: Pick<Asking, "address" | "identity">): string {
  if (identity.kind !== "managedIdentity") return `application ${identity.clientId} of tenant ${address.tenantId}`;
  return identity.clientId === undefined
    ? "the system-assigned identity of the worker's node"
    : `the managed identity ${identity.clientId} of the worker's node`;
}

/** Returns the source of the identity's tokens. */
function tokenSource({ address, identity }: Asking): string {
  if (identity.kind === "managedIdentity") return METADATA_SERVICE;
  return identity.kind === "identityBinding" ? `${TOKEN_PROXY} (for ${address.authorityHost})` : address.authorityHost;
}

function originOf({ identity }: Asking): VaultErrorOrigin {
  return identity.kind === "managedIdentity" ? "metadataService" : "signIn";
}

function noToken(asking: Asking, words: string): string {
  return `no token from ${tokenSource(asking)} for ${who(asking)}: ${words}`;
}

function unanswered(asking: Asking, words: string, retry = BACKOFF): SignInError {
  return new SignInError({ code: "Unreachable", retry, origin: originOf(asking), words: noToken(asking, words) });
}

const METADATA_SERVICE = "the node's metadata service (169.254.169.254)";
const TOKEN_PROXY = "the cluster's token proxy";

/** Remedies that do not depend on the identity's credentials. */
const COMMON_WORDS: Readonly<Record<string, string>> = {
  AADSTS90002: "the tenant does not exist; correct tenantID",
  AADSTS500011: "the requested service does not exist in the tenant; correct cloudName or tenantID",
  AADSTS53003: "a Conditional Access policy blocks the sign-in; an administrator of the tenant must exempt the application",
  AADSTS7000112: "the application is disabled; an administrator of the tenant must enable its service principal",
  AADSTS7000229: "the application has no service principal in the tenant; create it (az ad sp create), or correct tenantID",
};

const SECRET_WORDS: Readonly<Record<string, string>> = {
  ...COMMON_WORDS,
  AADSTS7000215: "the client secret is wrong; put the secret's value, not its id, into clientsecret",
  AADSTS7000222: "the client secret has expired; add a new one and put it into clientsecret",
  AADSTS700016: "the application does not exist in the tenant; correct clientid or tenantID",
};

const ASSERTION_WORDS: Readonly<Record<string, string>> = {
  ...COMMON_WORDS,
  AADSTS700016: "the application or managed identity does not exist in the tenant; correct clientID or tenantID",
  AADSTS700024: "the ServiceAccount's token has expired or is not valid yet; check the API server's clock",
  AADSTS7000272:
    "the issuer's published keys do not include the key with which the API server signs; check --service-account-issuer and its key set",
  AADSTS50013: "the signature does not match the issuer's published keys; check --service-account-issuer and its key set",
  AADSTS90061: "Entra cannot read the issuer's keys; publish the issuer's discovery document where Entra can reach it",
};

/**
 * No federated credential matches: there is none at all, none for the issuer, audience or subject, or the subject is spelled differently.
 */
const NOT_FEDERATED = new Set(["AADSTS70021", "AADSTS70025", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7002138"]);

/** Codes that mean a busy service, whatever the status: Entra rejects a client that asks in a loop with 400. */
const TRANSIENT = new Set(["AADSTS50196", "AADSTS90025", "AADSTS90033"]);

/**
 * Detects a token service that is busy. The credentials are not at fault. The status counts before the code: Entra's codes may change at
 * any time, and Microsoft advises against a list of them. A proxy may respond with 5xx, too, but without an error in the words of OAuth.
 * No proxy is on the way to the metadata service, which responds with 410 while it is updated.
 */
function ofBusy(trace: SignInTrace, code: string | undefined, asking: Asking): VaultVerdict | undefined {
  const { status = 0, refusal } = trace;
  const isOfNode = asking.identity.kind === "managedIdentity";
  const isTheServices = isOfNode || code !== undefined || refusal !== undefined;
  const isBusy = status === 429 || (status >= 500 && isTheServices) || (status === 410 && isOfNode);
  if (!isBusy && !(code !== undefined && TRANSIENT.has(code))) return undefined;
  const words = `${notGiven(code ?? `HTTP ${status}`, asking)}: the service is busy`;
  return { code: "Unreachable", retry: retryAsAsked(trace), origin: originOf(asking), words, serviceCode: code };
}

function statusIn(chain: readonly Error[]): number | undefined {
  return chain.map((link) => valueAt(link, ["status"])).find((status) => typeof status === "number");
}

/** Returns the verdict on a refusal by Entra, with its code. */
function ofEntra(code: string, asking: Asking): VaultVerdict {
  const words = `${notGiven(code, asking)}: ${entraRemedy(code, asking)}`;
  return { code: "Unauthorized", retry: NEVER, origin: "signIn", words, serviceCode: code };
}

function notGiven(shown: string, asking: Asking): string {
  return `no token from ${tokenSource(asking)} for ${who(asking)} (${shown})`;
}

function entraRemedy(code: string, asking: Asking): string {
  switch (asking.identity.kind) {
    case "workloadIdentity":
      return assertionRemedy(code, asking);
    case "identityBinding":
      return NOT_FEDERATED.has(code) ? notBound(asking) : (ASSERTION_WORDS[code] ?? `check clientID and tenantID; ${notBound(asking)}`);
    case "servicePrincipal":
    case "managedIdentity":
      return SECRET_WORDS[code] ?? "check clientid, clientsecret and tenantID";
  }
}

/** Returns the requirements of an identity binding, in the words of AKS. */
function notBound({ identity }: Asking): string {
  if (identity.kind !== "identityBinding") return "";
  const { namespace, name } = identity.account;
  return `bind the managed identity ${identity.clientId} to this cluster (az aks identity-binding create), and let ServiceAccount ${namespace}/${name} use it (verb use-managed-identity of cid.wi.aks.azure.com)`;
}

function assertionRemedy(code: string, { identity, assertion }: Asking): string {
  const known = ASSERTION_WORDS[code];
  if (known !== undefined || identity.kind !== "workloadIdentity") return known ?? "";
  const { namespace, name } = identity.account;
  const issuer = assertion.issuer ?? "the API server's --service-account-issuer";
  const wanted = `subject system:serviceaccount:${namespace}:${name}, issuer ${issuer}, audience ${FEDERATION_AUDIENCE}`;
  if (!NOT_FEDERATED.has(code)) return `check clientID, tenantID and the federated credential: ${wanted}`;
  return `the identity has no matching federated credential; add one: ${wanted}`;
}

/**
 * Detects that the vault belongs to another tenant: the SDK requests no token of a tenant other than the class's, whatever a vault's
 * challenge names.
 */
function ofTenant(chain: readonly Error[], { address }: Asking): VaultVerdict | undefined {
  if (!chain.some(({ message }) => message.includes("AdditionallyAllowedTenants"))) return undefined;
  const words = `the vault does not belong to tenant ${address.tenantId}; set tenantID to the id of the vault's tenant`;
  return { code: "Unauthorized", retry: NEVER, origin: "class", words };
}

/** Returns the verdict by the last request. For most failures, the SDK reports only that there was one. */
function ofTrace(trace: SignInTrace, asking: Asking): VaultVerdict | undefined {
  const { code, status, refusal } = trace;
  const host = new URL(asking.address.authorityHost).hostname;
  const proxy = code === undefined ? undefined : proxyWords(code, host, "");
  if (proxy !== undefined) return { code: "Unreachable", retry: BACKOFF, origin: "proxy", words: noToken(asking, proxy) };
  if (code === UNREADABLE) return unanswered(asking, noValidResponse(code)).verdict;
  if (code !== undefined) return unanswered(asking, `no connection (${code}): ${connectionRemedy(code, asking)}`).verdict;
  if (status === undefined) return undefined;
  if (asking.identity.kind === "identityBinding" && REFUSED.has(status)) {
    const words = noToken(
      asking,
      `the request is rejected (HTTP ${status}${refusal === undefined ? "" : ` ${refusal}`}); ${notBound(asking)}`,
    );
    return { code: "Unauthorized", retry: NEVER, origin: "signIn", words };
  }
  if (refusal === undefined) return unanswered(asking, noValidResponse(`HTTP ${status}`), retryAsAsked(trace)).verdict;
  const words = noToken(asking, `the request is rejected (HTTP ${status} ${refusal}); check tenantID and the identity's credentials`);
  return { code: "Unauthorized", retry: NEVER, origin: "signIn", words, serviceCode: refusal };
}

function noValidResponse(shown: string): string {
  return `no valid response (${shown}); check the network path from the cluster`;
}

/** Statuses with which the token proxy itself responds if the identity may not be used. */
const REFUSED = new Set([400, 401, 403, 404]);

/** A server that responds in place of the token proxy has no certificate for its name, or does not know the name. */
function connectionRemedy(code: string, asking: Asking): string {
  if (asking.identity.kind !== "identityBinding") return networkRemedy(code, "signIn");
  return `no token proxy of this cluster answers at the API server's address; ${notBound(asking)}, or set --token-proxy-url and --sni-name`;
}

function unknown(error: unknown, asking: Asking): VaultVerdict {
  const kind = error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : "unknown error";
  return { code: "Unreachable", retry: BACKOFF, origin: "own", words: noToken(asking, `the sign-in failed (${kind}); check tenantID`) };
}

/** Errors that the SDK throws if a managed identity gets no token. The vault's own refusals are not among them. */
const SIGN_IN_ERRORS = new Set(["CredentialUnavailableError", "AuthenticationRequiredError"]);

/** Returns undefined if the failure is not the metadata service's. */
function ofMetadataService(error: unknown, asking: Asking): VaultVerdict | undefined {
  const chain = chainOf(error);
  if (asking.identity.kind !== "managedIdentity" || !chain.some(({ name }) => SIGN_IN_ERRORS.has(name))) return undefined;
  const text = chain.map(({ message }) => message).join("\n");
  const origin = "metadataService";
  const refused = (words: string, serviceCode?: string): VaultVerdict => ({
    code: "IdentityUnavailable",
    retry: NEVER,
    origin,
    words: `no token for ${who(asking)}: ${words}`,
    serviceCode,
  });
  if (text.includes("Multiple user assigned identities exist"))
    return refused("the node has several identities; set userAssignedIdentityID to the client id of one");
  if (text.includes("Identity not found")) return refused(absentIdentity(asking));
  const code = /AADSTS\d{2,9}/.exec(text)?.[0];
  if (code !== undefined)
    return refused(`${METADATA_SERVICE} rejects the request (${code}); check that cloudName names the cluster's cloud`, code);
  if (/\binvalid_request\b/.test(text))
    return refused(`${METADATA_SERVICE} rejects the request; userAssignedIdentityID takes a client id, not a resource id`);
  const words = `no valid response from ${METADATA_SERVICE}; managed identities work only on Azure nodes whose pods can reach that address. Elsewhere, use workload identity`;
  return { code: "Unreachable", retry: BACKOFF, origin, words };
}

function absentIdentity({ identity }: Asking): string {
  return identity.kind === "managedIdentity" && identity.clientId !== undefined
    ? "the node does not have this identity; assign it to the cluster's nodes, or correct userAssignedIdentityID (the client id)"
    : "the node has no identity; enable one on the cluster's nodes, or set userAssignedIdentityID";
}
