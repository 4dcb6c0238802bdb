import type { VaultErrorOrigin } from "../domain/ports/vault-error.ts";
import { answeredBy, asked, CLOSED, heldFor, isOpen, notTried, unansweredBy } from "../domain/schedule/breaker.ts";
import { boundedCall } from "./bounded-call.ts";
import type { Credential } from "./credential.ts";
import { SignInError } from "./sign-in-errors.ts";

/** Covers a discovery of the authority and a token request, each through a slow proxy; a token takes well under a second. */
export const SIGN_IN_TIMEOUT_MS = 25_000;

/** Who did not answer before is not waited for as long again (milliseconds). */
const PROBE_TIMEOUT_MS = 10_000;

/** So many refused connections or busy answers in a row; one silence is enough, since it has cost its whole bound. */
const FAILURES_TO_OPEN = 5;

const TOKEN_SERVICES: ReadonlySet<VaultErrorOrigin> = new Set(["signIn", "metadataService"]);

export interface GuardOptions {
  readonly translate: (error: unknown) => SignInError;
  /** Bound of one sign-in (milliseconds). */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/**
 * Waits so long for a token: the SDK's requests for one have no bound of their own, and one that is never answered would keep everybody
 * waiting who shares the sign-in. A token service that gives no answer is left alone, then tried by one sign-in at a time; meanwhile
 * those that come are told at once, so that it costs no worker its time. Rejects with a {@link SignInError}.
 */
export function guardSignIn(credential: Credential, options: GuardOptions): Credential {
  const { translate, timeoutMs = SIGN_IN_TIMEOUT_MS, now = () => performance.now() } = options;
  let breaker = CLOSED;
  /** Of the first failure since a token came: a status that says it is not written again while it lasts. */
  let first: SignInError | undefined;

  function failed(error: SignInError, { request, hasTakenAll }: { readonly request: number; readonly hasTakenAll: boolean }): SignInError {
    const { code, origin, retry } = error.verdict;
    if (!TOKEN_SERVICES.has(origin)) {
      breaker = notTried(breaker, request);
      return error;
    }
    if (code !== "Unreachable") {
      // A refusal is an answer.
      breaker = answeredBy(breaker);
      return error;
    }
    if (breaker.failures === 0) first = error;
    breaker = unansweredBy(breaker, { request, now: now(), mostFailures: hasTakenAll ? 1 : FAILURES_TO_OPEN });
    return new SignInError({ ...(first ?? error).verdict, code, origin, retry });
  }

  return {
    // Nobody's own signal: others wait for the same token.
    getToken: async (scopes, given) => {
      const began = now();
      const held = heldFor(breaker, began);
      if (held !== undefined && first !== undefined)
        throw new SignInError({ ...first.verdict, retry: { kind: "after", milliseconds: Math.ceil(held) } });
      const boundMs = isOpen(breaker) ? Math.min(PROBE_TIMEOUT_MS, timeoutMs) : timeoutMs;
      breaker = asked(breaker, began);
      const request = breaker.requests;
      try {
        const token = await boundedCall((abortSignal) => credential.getToken(scopes, { ...given, abortSignal }), boundMs);
        breaker = answeredBy(breaker);
        return token;
      } catch (error) {
        throw failed(translate(error), { request, hasTakenAll: now() - began >= boundMs });
      }
    },
  };
}
