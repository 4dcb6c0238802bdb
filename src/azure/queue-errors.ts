import { RestError } from "@azure/storage-queue";
import { QUEUE_ROLE, QueueError, type QueueErrorCode } from "../domain/ports/event-queue.ts";
import { BACKOFF, type Retry } from "../domain/ports/retry.ts";
import type { VaultErrorCode } from "../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import { AnswerTooLarge } from "./answer-size.ts";
import { CallTimeout } from "./bounded-call.ts";
import { networkRemedy, proxyWords } from "./network-words.ts";
import { chainOf, networkCode, retryAfterIn, retryAsAsked } from "./service-answer.ts";
import { SignInError } from "./sign-in-errors.ts";

/** The action, the queue, and the identity of a request. */
export interface QueueRequest {
  readonly action: "receive" | "delete" | "peek";
  readonly url: string;
  readonly identity: VaultIdentity;
}

/** Another server on the path responded: a proxy with a page of its own. Never leaves this folder. */
export class NotTheService extends Error {
  override readonly name = "NotTheService";
}

interface Verdict {
  readonly code: QueueErrorCode;
  readonly retry: Retry;
  readonly words: string;
}

const ACTIONS: Readonly<Record<QueueRequest["action"], string>> = {
  receive: "receive messages from",
  delete: "delete a message from",
  peek: "peek at messages in",
};

/** Facts of the service's own responses. Codes: https://learn.microsoft.com/rest/api/storageservices/queue-service-error-codes */
export interface StorageAnswer {
  readonly status: number;
  /** One word; undefined if the response is not the service's own. */
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
}

const CODE = /^[A-Za-z0-9]{1,64}$/;

/** Returns undefined if there was no HTTP response. */
export function storageAnswer(error: unknown): StorageAnswer | undefined {
  const answered = chainOf(error).find((link): link is RestError => link instanceof RestError && link.statusCode !== undefined);
  if (answered?.statusCode === undefined) return undefined;
  const code = answered.response?.headers.get("x-ms-error-code") ?? "";
  return { status: answered.statusCode, code: CODE.test(code) ? code : undefined, retryAfterMs: retryAfterIn(answered.response?.headers) };
}

/** Turns every error of the SDK into a `QueueError`. It has no `cause`: the SDK's errors contain the request with its token. */
export function translateQueueError(error: unknown, request: QueueRequest): QueueError {
  const { code, retry, words } = verdictOf(error, request);
  return new QueueError(code, `cannot ${ACTIONS[request.action]} the queue ${request.url}: ${words}`, retry);
}

function verdictOf(error: unknown, request: QueueRequest): Verdict {
  const signIn = chainOf(error).find((link) => link instanceof SignInError);
  if (signIn !== undefined) return ofSignIn(signIn);
  if (error instanceof CallTimeout) return unreachable(`${error.message}; check the network path from the cluster to the queue`);
  if (error instanceof AnswerTooLarge)
    return {
      code: "TooLarge",
      retry: BACKOFF,
      words: `no valid response (${error.message}); allow only Event Grid to send messages to the queue`,
    };
  if (error instanceof NotTheService)
    return unreachable("the response does not come from the queue; if HTTPS_PROXY is set, check that the proxy does not change responses");
  const answer = storageAnswer(error);
  if (answer !== undefined) return ofAnswer(answer, request);
  const network = networkCode(error);
  if (network === undefined) return unreachable("no valid response; check the address in --event-queues");
  const proxy = proxyWords(network, new URL(request.url).hostname, ", and check that the storage account exists");
  return unreachable(proxy ?? networkWords(network));
}

function networkWords(code: string): string {
  if (code === "ENOTFOUND") return "the name does not resolve (ENOTFOUND); check the cluster's DNS, and that the storage account exists";
  return `no connection (${code}): ${networkRemedy(code, "signIn")}`;
}

/** The vault codes with which a sign-in can end, and the equivalent queue codes. */
const SIGN_IN_CODES: Partial<Readonly<Record<VaultErrorCode, QueueErrorCode>>> = {
  Unauthorized: "Unauthorized",
  IdentityUnavailable: "IdentityUnavailable",
  Throttled: "Throttled",
};

function ofSignIn({ verdict }: SignInError): Verdict {
  return { code: SIGN_IN_CODES[verdict.code] ?? "Unreachable", retry: verdict.retry, words: verdict.words };
}

function unreachable(words: string): Verdict {
  return { code: "Unreachable", retry: BACKOFF, words };
}

/** Returns the identity that needs a role, as messages name it. */
function holder(identity: VaultIdentity): string {
  if (identity.kind !== "managedIdentity") return `the application or managed identity ${identity.clientId}`;
  return identity.clientId === undefined
    ? "the system-assigned identity of the worker's node"
    : `the managed identity ${identity.clientId} of the worker's node`;
}

const FORBIDDEN: Readonly<Record<string, (request: QueueRequest) => Omit<Verdict, "retry">>> = {
  AuthorizationFailure: () => ({
    code: "NetworkForbidden",
    words:
      "the storage account's firewall refuses this address; allow the cluster's outbound address, or create a private endpoint in its network",
  }),
  AuthorizationPermissionMismatch: ({ identity, url }) => ({
    code: "Forbidden",
    words: `${holder(identity)} lacks permission; assign it the role ${QUEUE_ROLE} on ${url.split("/").at(-1)}. A new assignment can take ten minutes to take effect`,
  }),
};

function ofAnswer(answer: StorageAnswer, request: QueueRequest): Verdict {
  const { status, code } = answer;
  const shown = code === undefined ? `HTTP ${status}` : `HTTP ${status} ${code}`;
  // The service uses both if an account or one of its partitions receives too many requests.
  if (status === 429 || (status === 503 && code === "ServerBusy"))
    return { code: "Throttled", retry: retryAsAsked(answer), words: `the storage account is busy (${shown}); the worker retries` };
  // The service's own code proves that the address leads to it.
  if (code !== undefined && status >= 500)
    return {
      code: "Faulty",
      retry: retryAsAsked(answer),
      words: `the storage account responds with an error (${shown}); the worker retries`,
    };
  if (code === undefined) return unreachable(`no valid response (${shown}); check the address in --event-queues`);
  if (status === 404)
    return { code: "NotFound", retry: BACKOFF, words: `the queue does not exist (${shown}); create it, or correct --event-queues` };
  if (status === 403) {
    const known = FORBIDDEN[code]?.(request) ?? { code: "Forbidden" as const, words: `${holder(request.identity)} is denied access` };
    return { ...known, retry: BACKOFF, words: `${known.words} (${shown})` };
  }
  if (status === 401)
    return { code: "Unauthorized", retry: BACKOFF, words: `the token of ${holder(request.identity)} is rejected (${shown})` };
  return { code: "Invalid", retry: BACKOFF, words: `the request is rejected (${shown}); check the address in --event-queues` };
}
