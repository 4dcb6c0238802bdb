import type { VaultErrorOrigin } from "../domain/ports/vault-error.ts";
import { answeredBy, asked, CLOSED, heldFor, isOpen, notTried, unansweredBy } from "../domain/schedule/breaker.ts";
import { boundedCall } from "./bounded-call.ts";
import type { Credential } from "./credential.ts";
import { SignInError } from "./sign-in-errors.ts";

/** Covers the discovery of the authority and a token request, each through a slow proxy. A token request takes well under a second. */
export const SIGN_IN_TIMEOUT_MS = 25_000;

/** Shorter time limit in milliseconds for a token service that did not respond before. */
const PROBE_TIMEOUT_MS = 10_000;

/**
 * Consecutive refused connections or busy responses that open the breaker. One silence is enough, since it has taken the whole time limit.
 */
const FAILURES_TO_OPEN = 5;

const TOKEN_SERVICES: ReadonlySet<VaultErrorOrigin> = new Set(["signIn", "metadataService"]);

export interface GuardOptions {
  readonly translate: (error: unknown) => SignInError;
  /** Time limit of one sign-in in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Returns milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/**
 * Limits the wait for a token: the SDK's token requests have no time limit, and one without a response would block every caller that shares
 * the sign-in. If a token service does not respond, no sign-in tries it for a while, then one sign-in at a time. In the meantime, the
 * others fail at once, so that they take no worker's time. Rejects with a {@link SignInError}.
 */
export function guardSignIn(credential: Credential, options: GuardOptions): Credential {
  const { translate, timeoutMs = SIGN_IN_TIMEOUT_MS, now = () => performance.now() } = options;
  let breaker = CLOSED;
  /** First failure since the last token. While it lasts, the worker does not rewrite a status that reports it. */
  let first: SignInError | undefined;

  function failed(error: SignInError, { request, hasTakenAll }: { readonly request: number; readonly hasTakenAll: boolean }): SignInError {
    const { code, origin, retry } = error.verdict;
    if (!TOKEN_SERVICES.has(origin)) {
      breaker = notTried(breaker, request);
      return error;
    }
    if (code !== "Unreachable") {
      // A refusal is also a response.
      breaker = answeredBy(breaker);
      return error;
    }
    if (breaker.failures === 0) first = error;
    const pauseMs = retry.kind === "after" ? retry.milliseconds : undefined;
    breaker = unansweredBy(breaker, { request, now: now(), mostFailures: hasTakenAll ? 1 : FAILURES_TO_OPEN, pauseMs });
    return new SignInError({ ...(first ?? error).verdict, code, origin, retry });
  }

  return {
    // Passes on no caller's signal, because others wait for the same token.
    getToken: async (scopes, given) => {
      const began = now();
      const held = heldFor(breaker, began);
      if (held !== undefined && first !== undefined)
        throw new SignInError({ ...first.verdict, retry: { kind: "after", milliseconds: Math.ceil(held) } });
      const boundMs = isOpen(breaker) ? Math.min(PROBE_TIMEOUT_MS, timeoutMs) : timeoutMs;
      breaker = asked(breaker, began);
      const request = breaker.requests;
      let bound: AbortSignal | undefined;
      try {
        const token = await boundedCall((abortSignal) => {
          bound = abortSignal;
          return credential.getToken(scopes, { ...given, abortSignal });
        }, boundMs);
        breaker = answeredBy(breaker);
        return token;
      } catch (error) {
        // Only the time limit aborts the signal. A clock would not do: a timer may end up to a millisecond before the clock shows it.
        throw failed(translate(error), { request, hasTakenAll: bound?.aborted === true });
      }
    },
  };
}
