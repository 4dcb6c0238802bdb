import type { VaultAddress } from "../domain/ports/vault-client.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import { type AssertionFacts, type Credential, createCredential } from "./credential.ts";
import { guardSignIn, SIGN_IN_TIMEOUT_MS } from "./guarded-sign-in.ts";
import type { SdkNetwork } from "./sdk-network.ts";
import { shareSignIn } from "./shared-sign-in.ts";
import { translateSignInError } from "./sign-in-errors.ts";
import type { TraceHolder } from "./sign-in-trace.ts";
import type { TokenProxy } from "./token-proxy.ts";

/** Access of an identity to its tokens, for any number of vaults. */
export interface SignIn {
  readonly credential: Credential;
  readonly assertion: AssertionFacts;
  /** Call this if a vault rejects the credential's token. */
  readonly forget: () => void;
}

export interface SignInOptions {
  readonly network: SdkNetwork;
  /** Token proxy for identity bindings; undefined if there are none here. */
  readonly tokenProxy?: TokenProxy | undefined;
  /** Time limit of one sign-in in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** Creates the sign-in of one authority, tenant, and identity. Its failure says nothing about another sign-in. */
export function createSignIn(address: VaultAddress, identity: VaultIdentity, options: SignInOptions): SignIn {
  const { network, tokenProxy, timeoutMs = SIGN_IN_TIMEOUT_MS } = options;
  const assertion: AssertionFacts = { issuer: undefined };
  const traced: TraceHolder = { trace: {} };
  const credential = createCredential(address, identity, { assertion, network, tokenProxy, timeoutMs, traced });
  const translate = (error: unknown) => translateSignInError(error, { address, identity, assertion }, traced.trace);
  const shared = shareSignIn(guardSignIn(credential, { translate, timeoutMs }));
  return { assertion, credential: shared, forget: () => shared.forget() };
}
