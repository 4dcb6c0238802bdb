import { randomUUID } from "node:crypto";

import { type Claims, issuerOf, type TokenIssuer } from "../entra/token-issuer.ts";
import { CLOUDS } from "../network/clouds.ts";
import type { Answer, Exchange } from "../network/exchange.ts";
import { certificateOperation, deletedCertificateOperation } from "./certificate-operations.ts";
import {
  apiVersionMissing,
  apiVersionUnknown,
  audienceWrong,
  issuerWrong,
  LOCATION,
  methodNotAllowed,
  permissionMissing,
  signatureUnknown,
  throttled,
  tokenExpired,
  tokenMissing,
  type VaultError,
} from "./errors.ts";
import { deletedKeyOperation, keyOperation } from "./key-operations.ts";
import type { Operation } from "./read-operations.ts";
import { deletedSecretOperation, secretOperation } from "./secret-operations.ts";
import type { Vault } from "./vault-store.ts";

/** Operations by the first path part. */
const COLLECTIONS: Readonly<Record<string, (exchange: Exchange) => Operation | undefined>> = {
  secrets: secretOperation,
  keys: keyOperation,
  certificates: certificateOperation,
  deletedsecrets: deletedSecretOperation,
  deletedkeys: deletedKeyOperation,
  deletedcertificates: deletedCertificateOperation,
};

/**
 * Answers a request to one vault. As in the real service, authentication comes first: a request without a token gets a challenge before any
 * other check.
 */
export function answerVault(exchange: Exchange, vault: Vault, tokens: TokenIssuer): Answer {
  const caller = authenticate(exchange, vault, tokens);
  if (caller.kind === "refused") return errorAnswer(exchange, vault, caller.error);
  const identity = caller.claims.appid;
  // A challenge does not count against the budget, so that the budget counts only authenticated requests.
  const turn = vault.throttle.admit();
  if (turn.kind === "refused") return { ...errorAnswer(exchange, vault, throttled(turn.retryAfterSeconds)), identity };
  const [collection = ""] = exchange.segments;
  const operation = Object.hasOwn(COLLECTIONS, collection) ? COLLECTIONS[collection]?.(exchange) : undefined;
  const error = admissionError(exchange, { vault, claims: caller.claims, operation });
  if (error !== undefined || operation === undefined) {
    return { ...errorAnswer(exchange, vault, error ?? methodNotAllowed()), identity };
  }
  const outcome = operation.run(exchange, vault);
  if (!outcome.ok) return { ...errorAnswer(exchange, vault, outcome.error), identity };
  return { status: outcome.body === undefined ? 204 : 200, headers: commonHeaders(exchange), body: outcome.body, identity };
}

type Authentication = { readonly kind: "caller"; readonly claims: Claims } | { readonly kind: "refused"; readonly error: VaultError };

function authenticate(exchange: Exchange, vault: Vault, tokens: TokenIssuer): Authentication {
  const [, token] = /^Bearer +(\S+)$/i.exec(exchange.headers.authorization ?? "") ?? [];
  if (token === undefined) return { kind: "refused", error: tokenMissing() };
  const verification = tokens.verify(token);
  if (verification.kind === "forged") return { kind: "refused", error: signatureUnknown() };
  if (verification.kind === "expired") return { kind: "refused", error: tokenExpired() };
  const { claims } = verification;
  const cloud = CLOUDS[vault.cloud];
  if (claims.aud !== cloud.vaultResource) return { kind: "refused", error: audienceWrong(cloud.vaultResource, claims.aud) };
  const issuer = issuerOf(cloud, vault.tenantId);
  if (claims.iss !== issuer) return { kind: "refused", error: issuerWrong(issuer, claims.iss) };
  return { kind: "caller", claims };
}

interface Admission {
  readonly vault: Vault;
  readonly claims: Claims;
  readonly operation: Operation | undefined;
}

function admissionError(exchange: Exchange, { vault, claims, operation }: Admission): VaultError | undefined {
  const apiVersion = exchange.query.get("api-version") ?? "";
  if (!/^\d/.test(apiVersion)) return apiVersionMissing();
  if (!vault.apiVersions.includes(apiVersion)) return apiVersionUnknown(apiVersion, vault.apiVersions.at(-1) ?? "");
  if (operation === undefined) return methodNotAllowed();
  const { permission } = operation;
  return vault.grants.get(claims.appid)?.has(permission) === true ? undefined : permissionMissing(vault, claims, permission);
}

function errorAnswer(exchange: Exchange, vault: Vault, error: VaultError): Answer {
  const inner = error.innerCode === undefined ? {} : { innererror: { code: error.innerCode } };
  return {
    status: error.status,
    headers: {
      ...commonHeaders(exchange),
      ...(error.status === 401 ? { "WWW-Authenticate": challengeOf(vault) } : {}),
      ...(error.retryAfterSeconds === undefined ? {} : { "Retry-After": String(error.retryAfterSeconds) }),
    },
    body: { error: { code: error.code, message: error.message, ...inner } },
  };
}

/** https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses */
function challengeOf(vault: Vault): string {
  const cloud = CLOUDS[vault.cloud];
  return `Bearer authorization="https://${cloud.entraHosts[0]}/${vault.tenantId}", resource="${cloud.vaultResource}"`;
}

/** As recorded in https://github.com/Azure/azure-sdk-for-python/issues/27266 and in every recording of https://github.com/Azure/azure-sdk-for-js */
function commonHeaders(exchange: Exchange): Readonly<Record<string, string>> {
  const requestId = exchange.headers["x-ms-client-request-id"];
  return {
    "Cache-Control": "no-cache",
    Pragma: "no-cache",
    Expires: "-1",
    "x-ms-keyvault-network-info": "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;",
    "x-ms-keyvault-region": LOCATION,
    "x-ms-keyvault-service-version": "1.9.576.1",
    "x-ms-request-id": randomUUID(),
    ...(typeof requestId === "string" ? { "x-ms-client-request-id": requestId } : {}),
  };
}
