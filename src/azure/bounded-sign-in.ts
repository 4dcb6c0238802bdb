import { boundedCall } from "./bounded-call.ts";
import type { Credential } from "./credential.ts";

/** Covers a discovery of the authority and a token request, each through a slow proxy; a token takes well under a second. */
export const SIGN_IN_TIMEOUT_MS = 25_000;

/**
 * Waits so long for a token. The SDK's requests for one have no bound of their own: one that is never answered would keep everybody
 * waiting who shares the sign-in, for as long as the process runs.
 */
export function boundSignIn(credential: Credential, timeoutMs: number): Credential {
  return {
    // Nobody's own signal: others wait for the same token.
    getToken: (scopes, options) => boundedCall((abortSignal) => credential.getToken(scopes, { ...options, abortSignal }), timeoutMs),
  };
}
