import type { Retry } from "../domain/ports/retry.ts";
import type { VaultAddress } from "../domain/ports/vault-client.ts";
import { VaultError, type VaultErrorCode } from "../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import type { VaultObjectKind } from "../domain/ports/vault-object.ts";
import { AbsentPart } from "./absent-part.ts";
import type { AssertionFacts } from "./credential.ts";
import { chainOf, entraCode, networkCode, type ServiceAnswer, serviceAnswer } from "./service-answer.ts";
import { ofEntra, ofMetadataService, tokenSource, who } from "./sign-in-errors.ts";

/** What was asked, of whom, as whom: what every message names. */
export interface VaultRequest {
  readonly address: VaultAddress;
  readonly identity: VaultIdentity;
  /** Of the last token that the identity was exchanged for. */
  readonly assertion: AssertionFacts;
  /** `list`: the versions of the object; `listAll`: the objects of the kind, without a name. */
  readonly action: "get" | "list" | "listAll";
  readonly object: VaultObjectKind;
  readonly name: string;
  readonly version: string | undefined;
}

const NEVER: Retry = { kind: "never" };
const BACKOFF: Retry = { kind: "backoff" };

export interface Verdict {
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  /** What went wrong and what to do. */
  readonly words: string;
  readonly providerText?: string;
}

export function vaultError(request: VaultRequest, { code, retry, words, providerText }: Verdict): VaultError {
  const { action, name, version, address } = request;
  const object = version === undefined ? `${request.object} ${name}` : `${request.object} ${name}, version ${version}`;
  const asked = { get: `get ${object}`, list: `list the versions of ${object}`, listAll: `list the ${request.object}s` }[action];
  // No `cause`: the SDK's errors carry the request with its token, and the response with its body.
  return new VaultError(code, `${asked} from ${address.vaultUrl}: ${words}`, { retry, providerText });
}

/** Built-in roles that allow to get and to list. */
const ROLES: Readonly<Record<VaultRequest["object"], string>> = {
  secret: "Key Vault Secrets User",
  key: "Key Vault Crypto User",
  certificate: "Key Vault Certificate User",
};

function grantFor({ action, object }: VaultRequest, innerCode: string | undefined): string {
  const permission = `${action === "get" ? "Get" : "List"} on ${object}s`;
  if (innerCode === "ForbiddenByFirewall")
    return "the vault's firewall refuses this address; allow the cluster's outbound address or a private endpoint";
  if (innerCode === "ForbiddenByPolicy") return `grant it ${permission} in the vault's access policies`;
  if (innerCode === "ForbiddenByRbac") return `grant it the role ${ROLES[object]} on the vault`;
  return `grant it the role ${ROLES[object]}, or ${permission} where the vault uses access policies`;
}

function shownCode({ status, code, innerCode }: ServiceAnswer): string {
  return [`HTTP ${status}`, code, innerCode].filter((part) => part !== undefined).join(" ");
}

/** Refusals by inner code: they are 403s, but say nothing of permissions. */
function objectState(answer: ServiceAnswer): Verdict | undefined {
  const shown = shownCode(answer);
  const inner = answer.innerCode ?? "";
  if (inner.endsWith("Disabled")) {
    return {
      code: "Disabled",
      retry: NEVER,
      words: `the version is disabled (${shown}); enable it, or set objectVersion to an enabled one`,
    };
  }
  if (inner.endsWith("Expired")) return { code: "Expired", retry: NEVER, words: `the version has expired (${shown}); set a new version` };
  if (inner.endsWith("NotYetValid")) {
    return { code: "NotYetValid", retry: NEVER, words: `the version is not valid yet (${shown}); change its activation date, or wait` };
  }
  return undefined;
}

/** Definite answers must come from Key Vault itself: a proxy answers 403 and 404 too, without Key Vault's error body. */
function refusal(answer: ServiceAnswer, request: VaultRequest): Verdict | undefined {
  const shown = shownCode(answer);
  if (answer.code === undefined) return undefined;
  if (answer.status === 404) {
    return {
      code: "NotFound",
      retry: NEVER,
      words: `not found in the vault (${shown}); create it, or correct objectName or objectVersion`,
    };
  }
  if (answer.status === 403) {
    return {
      code: "Forbidden",
      retry: NEVER,
      words: `${who(request)} is not allowed to (${shown}); ${grantFor(request, answer.innerCode)}`,
    };
  }
  if (answer.status === 401) {
    const words = `the vault does not accept the token of ${who(request)} (${shown}); check that tenantID is the tenant that the vault belongs to`;
    return { code: "Unauthorized", retry: NEVER, words };
  }
  if (answer.status === 400) {
    return { code: "Invalid", retry: NEVER, words: `the vault refuses the request (${shown}); correct objectName or objectVersion` };
  }
  return undefined;
}

function ofAnswer(answer: ServiceAnswer, request: VaultRequest): Verdict {
  if (answer.status === 429) {
    const retry: Retry = answer.retryAfterMs === undefined ? BACKOFF : { kind: "after", milliseconds: answer.retryAfterMs };
    return {
      code: "Throttled",
      retry,
      words: `the vault throttles (${shownCode(answer)}); poll less often, or spread objects over more vaults`,
    };
  }
  const definite = objectState(answer) ?? refusal(answer, request);
  if (definite) return definite;
  const host = new URL(request.address.vaultUrl).hostname;
  const words =
    `no usable answer (${shownCode(answer)}) from the vault or from ${tokenSource(request)}; check that the vault exists (keyvaultName and ` +
    `cloudName make its name ${host}) and, where HTTPS_PROXY is set, that the proxy resolves and lets through both`;
  return { code: "Unreachable", retry: BACKOFF, words };
}

/** Refusals that the SDK raises itself, before anything is sent to the wrong place. */
function ofChallenge(error: unknown, { address }: VaultRequest): Verdict | undefined {
  const text = chainOf(error)
    .map(({ message }) => message)
    .join("\n");
  if (text.includes("AdditionallyAllowedTenants")) {
    const words = `the vault belongs to another tenant than ${address.tenantId}; set tenantID to the id (not the domain) of the vault's tenant`;
    return { code: "Unauthorized", retry: NEVER, words };
  }
  if (/challenge (?:resource|contains)/.test(text)) {
    const words =
      "the host asks for a token for another service than Key Vault; none was requested. Check cloudName, and what the name resolves to";
    return { code: "Unauthorized", retry: NEVER, words };
  }
  return undefined;
}

const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name does not resolve; check keyvaultName and cloudName, that the vault exists, and the cluster's DNS",
  EAI_AGAIN: "the name service does not answer; check the cluster's DNS",
  ECONNREFUSED: "the connection is refused; check the firewall, and HTTPS_PROXY where a proxy is set",
};

function ofNetwork(code: string, request: VaultRequest): Verdict {
  const isTls = /CERT|SIGNATURE|SSL|TLS/.test(code);
  const tls = "the certificate is not trusted; where a proxy opens TLS, give its CA by NODE_EXTRA_CA_CERTS";
  const remedy = NETWORK_WORDS[code] ?? (isTls ? tls : "check the cluster's way to it");
  return { code: "Unreachable", retry: BACKOFF, words: `no connection to the vault or to ${tokenSource(request)} (${code}): ${remedy}` };
}

function ofAbsentPart({ message }: AbsentPart): Verdict {
  return { code: "Invalid", retry: NEVER, words: "the vault's answer lacks it; look at the object in the vault", providerText: message };
}

/** Every error of the SDK becomes one of ours; what is unknown is worth another try. */
export function translateError(error: unknown, request: VaultRequest): VaultError {
  // The ServiceAccount's token could not be had, which is said already; the SDK has wrapped it.
  const ours = chainOf(error).find((link) => link instanceof VaultError);
  if (ours) return vaultError(request, { code: ours.code, retry: ours.retry, words: ours.message });
  if (error instanceof AbsentPart) return vaultError(request, ofAbsentPart(error));
  const answer = serviceAnswer(error);
  if (answer) return vaultError(request, ofAnswer(answer, request));
  const metadata = ofMetadataService(error, request);
  if (metadata) return vaultError(request, metadata);
  const entra = entraCode(error);
  if (entra !== undefined) return vaultError(request, ofEntra(entra, request));
  const challenge = ofChallenge(error, request);
  if (challenge) return vaultError(request, challenge);
  const network = networkCode(error);
  if (network !== undefined) return vaultError(request, ofNetwork(network, request));
  const kind = error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : "unknown error";
  const words = `no answer from the vault or from ${tokenSource(request)} (${kind})`;
  return vaultError(request, { code: "Unreachable", retry: BACKOFF, words });
}
