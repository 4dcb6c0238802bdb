import { isRestError } from "@azure/keyvault-secrets";
import { BACKOFF, NEVER } from "../domain/ports/retry.ts";
import { VaultError } from "../domain/ports/vault-error.ts";
import { AbsentPart } from "./absent-part.ts";
import { AnswerTooLarge, TooManyVersions } from "./answer-size.ts";
import { unknownVersionWords } from "./api-version.ts";
import { CallTimeout } from "./bounded-call.ts";
import { grantFor, networkRefusal } from "./forbidden.ts";
import { networkRemedy, proxyWords } from "./network-words.ts";
import { chainOf, networkCode, retryAsAsked, type ServiceAnswer, serviceAnswer, UNREADABLE } from "./service-answer.ts";
import { SignInError, who } from "./sign-in-errors.ts";
import type { VaultRequest, VaultVerdict } from "./vault-request.ts";

export function vaultError(request: VaultRequest, { code, ...verdict }: VaultVerdict): VaultError {
  const { action, name, version, address } = request;
  const object = version === undefined ? `${request.object} ${name}` : `${request.object} ${name}, version ${version}`;
  const asked = { get: `get ${object}`, list: `list the versions of ${object}`, listAll: `list the ${request.object}s` }[action];
  // No `cause`: the SDK's errors contain the request with its token, and the response with its body.
  return new VaultError(code, `${asked} from ${address.vaultUrl}: ${verdict.words}`, verdict);
}

/** Built-in roles that allow get and list. */
const ROLES: Readonly<Record<VaultRequest["object"], string>> = {
  secret: "Key Vault Secrets User",
  key: "Key Vault Crypto User",
  certificate: "Key Vault Certificate User",
};

function shownCode({ status, code, innerCode }: ServiceAnswer): string {
  return [`HTTP ${status}`, code, innerCode].filter((part) => part !== undefined).join(" ");
}

/** Meaning of a response from the vault itself. */
type Answered = Omit<VaultVerdict, "origin">;

/** Returns refusals about the object's state, by inner code: they are 403s, but say nothing about permissions. */
function objectState(answer: ServiceAnswer): Answered | undefined {
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

/**
 * Returns definite refusals. They must come from Key Vault itself: a proxy also responds with 403 and 404, but without Key Vault's error
 * body.
 */
function refusal(answer: ServiceAnswer, request: VaultRequest): Answered | undefined {
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
    const ofNetwork = networkRefusal(answer, shown);
    if (ofNetwork !== undefined) return { code: "NetworkForbidden", retry: NEVER, ...ofNetwork };
    const { action, object } = request;
    const verb = action === "get" ? "Get" : "List";
    const grant = grantFor(answer.innerCode, { role: ROLES[object], permission: `${verb} on ${object}s` });
    return {
      code: "Forbidden",
      retry: NEVER,
      words: `${who(request)} is not allowed to ${verb.toLowerCase()} ${object}s (${shown}); ${grant}`,
    };
  }
  if (answer.status === 401) {
    const words = `the vault rejects the token of ${who(request)} (${shown}); check that tenantID is the tenant that the vault belongs to`;
    return { code: "Unauthorized", retry: NEVER, words };
  }
  if (answer.status === 400 && answer.latestApiVersion !== undefined) {
    const words = `${unknownVersionWords(request.address, answer.latestApiVersion)} (${shown})`;
    return { code: "UnsupportedApiVersion", retry: NEVER, words };
  }
  if (answer.status === 400) {
    return { code: "Invalid", retry: NEVER, words: `the vault rejects the request (${shown}); correct objectName or objectVersion` };
  }
  return undefined;
}

function ofAnswer(answer: ServiceAnswer, request: VaultRequest): Answered {
  return { serviceCode: answer.innerCode ?? answer.code, ...meaningOf(answer, request) };
}

function meaningOf(answer: ServiceAnswer, request: VaultRequest): Answered {
  if (answer.status === 429) {
    return {
      code: "Throttled",
      retry: retryAsAsked(answer),
      words: `the vault is throttling requests (${shownCode(answer)}); poll less often, or spread objects across more vaults`,
    };
  }
  const definite = objectState(answer) ?? refusal(answer, request);
  if (definite) return definite;
  const shown = shownCode(answer);
  // Key Vault's own error body proves that the vault exists, and that nothing on the path changes its responses.
  const words = answer.code === undefined ? unusable(shown, request) : `the vault responds with an error (${shown}); the worker retries`;
  return { code: "Unreachable", retry: retryAsAsked(answer), words, isAnswer: isOfRequest(answer) };
}

/** Whether the vault itself refuses this request only, for example because the object is being deleted: the vault is well. */
function isOfRequest({ status, code }: ServiceAnswer): boolean {
  return code !== undefined && status >= 400 && status < 500 && status !== 408;
}

function unusable(what: string, request: VaultRequest): string {
  return (
    `no valid response (${what}) from the vault; check that the vault exists (keyvaultName and cloudName form its host name ${hostOf(request)}) ` +
    "and, if HTTPS_PROXY is set, that the proxy does not change the vault's responses"
  );
}

function hostOf({ address }: VaultRequest): string {
  return new URL(address.vaultUrl).hostname;
}

/** Returns refusals that the SDK raises itself, before it sends anything to the wrong place. */
function ofChallenge(error: unknown): Answered | undefined {
  if (!chainOf(error).some(({ message }) => /challenge (?:resource|contains)/.test(message))) return undefined;
  const words =
    "the host asks for a token for a service other than Key Vault, so none was requested; check cloudName, and what the name resolves to";
  return { code: "Unauthorized", retry: NEVER, words };
}

function ofNetwork(code: string, request: VaultRequest): VaultVerdict {
  const proxy = proxyWords(code, hostOf(request), ", and check that the vault exists (keyvaultName and cloudName form its host name)");
  if (proxy !== undefined) return { code: "Unreachable", retry: BACKOFF, origin: "proxy", words: proxy };
  const words = `no connection to the vault (${code}): ${networkRemedy(code, "vault")}`;
  return { code: "Unreachable", retry: BACKOFF, origin: "vault", words: code === UNREADABLE ? unusable(code, request) : words };
}

function ofAbsentPart({ message }: AbsentPart): Answered {
  return {
    code: "Invalid",
    retry: NEVER,
    words: "the vault's response does not contain it; check the object in the vault",
    providerText: message,
  };
}

/** Returns the meaning of the vault's response, or of its silence. */
function ofVault(error: unknown, request: VaultRequest): Answered | undefined {
  if (error instanceof AbsentPart) return ofAbsentPart(error);
  if (error instanceof CallTimeout)
    return { code: "Unreachable", retry: BACKOFF, words: `${error.message} from the vault; check the network path from the cluster` };
  if (error instanceof AnswerTooLarge) return { code: "Unreachable", retry: BACKOFF, words: unusable(error.message, request) };
  if (error instanceof TooManyVersions)
    return {
      code: "Invalid",
      retry: NEVER,
      words: `it has ${error.message}; remove objectVersionHistory, or recreate the object under another name`,
    };
  const answer = serviceAnswer(error);
  return answer === undefined ? ofChallenge(error) : ofAnswer(answer, request);
}

/**
 * Turns every error of the SDK into a `VaultError` with its origin. A failed sign-in already names its own origin. Any other failure of a
 * request happens on the way to the vault. An unknown failure is worth another attempt.
 */
export function translateError(error: unknown, request: VaultRequest): VaultError {
  const signIn = chainOf(error).find((link) => link instanceof SignInError);
  if (signIn !== undefined) return vaultError(request, signIn.verdict);
  const reported = ofVault(error, request);
  if (reported !== undefined) return vaultError(request, { ...reported, origin: "vault" });
  const network = networkCode(error);
  if (network !== undefined) return vaultError(request, ofNetwork(network, request));
  const kind = error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : "unknown error";
  const origin = isRestError(error) ? "vault" : "own";
  return vaultError(request, { code: "Unreachable", retry: BACKOFF, origin, words: unusable(kind, request) });
}
