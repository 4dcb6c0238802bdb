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
  readonly serviceCode?: string | undefined;
  /** Default: the message, of which it is then all. */
  readonly words?: string | undefined;
}

/** What is no such word could be text that the service repeats, hence a value. */
const SERVICE_CODE = /^[A-Za-z0-9_]{1,64}$/;

/** What the Azure adapter lets out: what was tried, on what, and what to do; never a value, a token, a header or a body. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  readonly origin: VaultErrorOrigin;
  /** Where the provider has a text of its own, which does not name the object. */
  readonly providerText: string | undefined;
  /**
   * The most exact code that the vault (`ForbiddenByRbac`), Entra (`AADSTS7000215`) or another sign-in service (`invalid_client`) gave: 1 to 64 letters, digits and _. Undefined where it
   * gave none, or anything else. What depends on the cause goes by this: the message names objects, which may be called as any code.
   */
  readonly serviceCode: string | undefined;
  /** The end of the message: what went wrong and what to do, without what was asked for and of which vault. */
  readonly words: string;

  constructor(code: VaultErrorCode, message: string, options: VaultErrorOptions) {
    const { retry, origin, cause, providerText, serviceCode, words = message } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retry = retry;
    this.origin = origin;
    this.providerText = providerText;
    this.words = words;
    this.serviceCode = serviceCode !== undefined && SERVICE_CODE.test(serviceCode) ? serviceCode : undefined;
  }
}

/** What an error said, to be kept: the error itself holds its stack. */
export type VaultWords = Pick<VaultError, "code" | "message" | "retry" | "origin" | "providerText" | "serviceCode">;

export function vaultWords({ code, message, retry, origin, providerText, serviceCode }: VaultError): VaultWords {
  return { code, message, retry, origin, providerText, serviceCode };
}
