import type { Retry } from "./retry.ts";

export type VaultErrorCode =
  | "NotFound"
  | "Disabled"
  | "Expired"
  | "NotYetValid"
  | "Unauthorized"
  /** The class's identity cannot be had where we run: no such account, no such identity of the node. */
  | "IdentityUnavailable"
  | "Forbidden"
  /** By the network that the request came from, whoever sent it. */
  | "NetworkForbidden"
  | "Throttled"
  | "Unreachable"
  /** The vault does not know the version of its API that was asked for. */
  | "UnsupportedApiVersion"
  | "Invalid";

/** Who gave the answer, or gave none. What one party does says nothing of another. */
export type VaultErrorOrigin =
  | "vault"
  /** Entra or AD FS. */
  | "signIn"
  /** Of the node, where managed identities get their tokens. */
  | "metadataService"
  /** Of Kubernetes, where tokens of ServiceAccounts come from. */
  | "apiServer"
  | "proxy"
  /** What the class says, or what it names: nobody outside was at fault, and mostly nobody was asked. */
  | "class"
  /** A bug, ours or the SDK's. */
  | "own";

export interface VaultErrorOptions {
  readonly retry: Retry;
  readonly origin: VaultErrorOrigin;
  readonly cause?: unknown;
  readonly providerText?: string | undefined;
}

/** What the Azure adapter lets out: what was tried, on what, and what to do; never a value, a token, a header or a body. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  readonly origin: VaultErrorOrigin;
  /** Where the provider has a text of its own, which does not name the object. */
  readonly providerText: string | undefined;

  constructor(code: VaultErrorCode, message: string, { retry, origin, cause, providerText }: VaultErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retry = retry;
    this.origin = origin;
    this.providerText = providerText;
  }
}

/** What an error said, to be kept: the error itself holds its stack. */
export type VaultWords = Pick<VaultError, "code" | "message" | "retry" | "origin" | "providerText">;

export function wordsOf({ code, message, retry, origin, providerText }: VaultError): VaultWords {
  return { code, message, retry, origin, providerText };
}
