import type { Retry } from "./retry.ts";

export type VaultErrorCode =
  | "NotFound"
  | "Disabled"
  | "Expired"
  | "NotYetValid"
  | "Unauthorized"
  /** The class's identity is not available to the worker: the account or the node's identity does not exist. */
  | "IdentityUnavailable"
  | "Forbidden"
  /** Rejected because of the network that the request came from, whatever its identity. */
  | "NetworkForbidden"
  | "Throttled"
  | "Unreachable"
  /** The vault does not support the requested version of its API. */
  | "UnsupportedApiVersion"
  | "Invalid";

/** Party that gave the answer, or gave none. The behavior of one party says nothing about another. */
export type VaultErrorOrigin =
  | "vault"
  /** Entra or AD FS. */
  | "signIn"
  /** The node's metadata service, which issues tokens for managed identities. */
  | "metadataService"
  /** The Kubernetes API server, which issues tokens of ServiceAccounts. */
  | "apiServer"
  | "proxy"
  /** The class itself, or an object that it names: no outside party was at fault, and usually none received a request. */
  | "class"
  /** This process: it did not send the request in time, or there is a bug in this project or in the SDK. */
  | "own";

export interface VaultErrorOptions {
  readonly retry: Retry;
  readonly origin: VaultErrorOrigin;
  readonly cause?: unknown;
  readonly providerText?: string | undefined;
  readonly serviceCode?: string | undefined;
  /** Default: the whole message. */
  readonly words?: string | undefined;
  /** See {@link VaultError.isAnswer}. Default: only an error with another code than `Unreachable` is an answer. */
  readonly isAnswer?: boolean | undefined;
}

/** Any other text could repeat input, and so contain a value. */
const SERVICE_CODE = /^[A-Za-z0-9_]{1,64}$/;

/** Error of the Azure adapter: describes the attempt, its target, and the remedy; never contains a value, a token, a header or a body. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  readonly origin: VaultErrorOrigin;
  /** The provider's own text, which does not name the object; undefined if it has none. */
  readonly providerText: string | undefined;
  /**
   * The most specific code from the vault (`ForbiddenByRbac`), Entra (`AADSTS7000215`) or another sign-in service (`invalid_client`): 1 to
   * 64 letters, digits and _. Undefined if there was none, or anything else. Decisions on the cause use this code, because the message
   * contains names of objects, and an object can be named like a code.
   */
  readonly serviceCode: string | undefined;
  /** Whether the party itself refused this one request, so that requests for other objects can succeed. */
  readonly isAnswer: boolean;
  /** End of the message: the problem and the remedy, without the requested object and its vault. */
  readonly words: string;

  constructor(code: VaultErrorCode, message: string, options: VaultErrorOptions) {
    const { retry, origin, cause, providerText, serviceCode, words = message, isAnswer = code !== "Unreachable" } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retry = retry;
    this.origin = origin;
    this.providerText = providerText;
    this.words = words;
    this.isAnswer = isAnswer;
    this.serviceCode = serviceCode !== undefined && SERVICE_CODE.test(serviceCode) ? serviceCode : undefined;
  }
}

/** Parts of an error to keep; the error itself holds its stack. */
export type VaultWords = Pick<VaultError, "code" | "message" | "retry" | "origin" | "providerText" | "serviceCode">;

export function vaultWords({ code, message, retry, origin, providerText, serviceCode }: VaultError): VaultWords {
  return { code, message, retry, origin, providerText, serviceCode };
}
