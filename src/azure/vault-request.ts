import type { Retry } from "../domain/ports/retry.ts";
import type { VaultAddress } from "../domain/ports/vault-client.ts";
import type { VaultErrorCode, VaultErrorOrigin } from "../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import type { VaultObjectKind } from "../domain/ports/vault-object.ts";
import type { AssertionFacts } from "./credential.ts";

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

export interface VaultVerdict {
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  readonly origin: VaultErrorOrigin;
  /** What went wrong and what to do. */
  readonly words: string;
  readonly providerText?: string;
  /** The code that tells causes of one `code` apart. */
  readonly serviceCode?: string | undefined;
}
