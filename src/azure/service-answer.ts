/**
 * The few facts of an SDK error that are safe to use: status, code words, `Retry-After`. Its message, headers and body are left out: they
 * contain tokens, request text and values.
 */
import { isRestError } from "@azure/keyvault-secrets";
import { valueAt } from "../domain/json-members.ts";
import { BACKOFF, type Retry } from "../domain/ports/retry.ts";
import { latestVersionIn } from "./api-version.ts";
import { errorBodyOf } from "./error-body-policy.ts";

export interface ServiceAnswer {
  readonly status: number;
  /** Key Vault's error code (`Forbidden`) and the innermost inner code (`SecretDisabled`); undefined if the body is not Key Vault's. */
  readonly code: string | undefined;
  readonly innerCode: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Latest version of the API, which the service names if it does not know the requested one. */
  readonly latestApiVersion: string | undefined;
}

/** A code is one word. Any other text is not shown. */
const CODE = /^[A-Za-z0-9]{1,64}$/;
const MAX_DEPTH = 8;

function codeOf(value: unknown): string | undefined {
  const code = valueAt(value, ["code"]);
  return typeof code === "string" && CODE.test(code) ? code : undefined;
}

/** Reads both spellings: the SDK's and the service's. */
function innerErrorOf(error: unknown): unknown {
  return valueAt(error, ["innerError"]) ?? valueAt(error, ["innererror"]);
}

function innerCodeOf(error: unknown): string | undefined {
  let code: string | undefined;
  let inner = innerErrorOf(error);
  for (let depth = 0; inner !== undefined && depth < MAX_DEPTH; depth += 1) {
    code = codeOf(inner) ?? code;
    inner = innerErrorOf(inner);
  }
  return code;
}

const MILLISECOND_HEADERS = ["retry-after-ms", "x-ms-retry-after-ms"];
const MAX_RETRY_AFTER_MS = 3_600_000;

interface Headers {
  get(name: string): string | undefined;
}

/** Returns the pause in milliseconds that a response asks for. */
export function retryAfterIn(headers: Headers | undefined): number | undefined {
  const header = (name: string) => headers?.get(name);
  const milliseconds = MILLISECOND_HEADERS.map((name) => Number(header(name) ?? Number.NaN)).find(Number.isFinite);
  const text = header("retry-after");
  const seconds = text === undefined ? Number.NaN : Number(text);
  // The header contains seconds or a date.
  const wait = milliseconds ?? (Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text ?? "") - Date.now());
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS) : undefined;
}

/** A service names the time of the next attempt, or leaves it to the worker. */
export function retryAsAsked({ retryAfterMs }: { readonly retryAfterMs?: number | undefined }): Retry {
  return retryAfterMs === undefined ? BACKOFF : { kind: "after", milliseconds: retryAfterMs };
}

/** Returns undefined if there was no HTTP response. */
export function serviceAnswer(error: unknown): ServiceAnswer | undefined {
  if (!isRestError(error) || error.statusCode === undefined) return undefined;
  const body = valueAt(error.details ?? errorBodyOf(error.request), ["error"]);
  return {
    status: error.statusCode,
    code: codeOf(body),
    innerCode: innerCodeOf(body),
    retryAfterMs: retryAfterIn(error.response?.headers),
    latestApiVersion: latestVersionIn(valueAt(body, ["message"])),
  };
}

/** Returns the error and its causes, outermost first. */
export function chainOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  let current = error;
  while (current instanceof Error && chain.length < MAX_DEPTH) {
    chain.push(current);
    current = current.cause;
  }
  return chain;
}

/** Returns Entra's code (`AADSTS7000215`), wherever in the chain its text is. */
export function entraCode(error: unknown): string | undefined {
  for (const { message } of chainOf(error)) {
    const code = /AADSTS\d{2,9}/.exec(message)?.[0];
    if (code !== undefined) return code;
  }
  return undefined;
}

/** The SDK's code for a body that the service does not send. */
export const UNREADABLE = "PARSE_ERROR";

/** Returns Node's code of a network or TLS failure (`ENOTFOUND`, `SELF_SIGNED_CERT_IN_CHAIN`). */
export function networkCode(error: unknown): string | undefined {
  return chainOf(error)
    .map((link) => valueAt(link, ["code"]))
    .find((code): code is string => typeof code === "string" && /^(?!REQUEST_SEND_ERROR)[A-Z][A-Z0-9_]{3,63}$/.test(code));
}
