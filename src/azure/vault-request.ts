import type { Retry } from "../domain/ports/retry.ts";
import type { VaultAddress } from "../domain/ports/vault-client.ts";
import type { VaultErrorCode, VaultErrorOrigin } from "../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import type { VaultObjectKind } from "../domain/ports/vault-object.ts";
import type { AssertionFacts } from "./credential.ts";

/** The action, the vault, and the identity of a request, which every message names. */
export interface VaultRequest {
  readonly address: VaultAddress;
  readonly identity: VaultIdentity;
  /** Facts about the last token that was exchanged for the identity's access token. */
  readonly assertion: AssertionFacts;
  /** `list` is for the versions of the object; `listAll` is for the objects of the kind, without a name. */
  readonly action: "get" | "list" | "listAll";
  readonly object: VaultObjectKind;
  readonly name: string;
  readonly version: string | undefined;
}

export interface VaultVerdict {
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  readonly origin: VaultErrorOrigin;
  /** The failure and its remedy. */
  readonly words: string;
  readonly providerText?: string;
  /** The code that distinguishes causes of one `code`. */
  readonly serviceCode?: string | undefined;
  readonly isAnswer?: boolean | undefined;
}
