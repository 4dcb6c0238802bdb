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
  | "Throttled"
  | "Unreachable"
  | "Invalid";

/** What the Azure adapter lets out: what was tried, on what, and what to do; never a value, a token, a header or a body. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  /** Where the provider has a text of its own, which does not name the object. */
  readonly providerText: string | undefined;

  constructor(
    code: VaultErrorCode,
    message: string,
    options: { readonly retry: Retry; readonly cause?: unknown; readonly providerText?: string | undefined },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry;
    this.providerText = options.providerText;
  }
}
