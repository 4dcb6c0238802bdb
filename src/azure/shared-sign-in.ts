import type { Credential } from "./credential.ts";

type GetToken = Credential["getToken"];
type Token = NonNullable<Awaited<ReturnType<GetToken>>>;

/** As in the SDK: a token is renewed in its last minutes (milliseconds). */
const RENEW_BEFORE_MS = 300_000;

/** If a renewal fails, the token stays in use as long as it lasts for a whole call, and is renewed again after a pause (milliseconds). */
const LONGEST_USE_MS = 60_000;
const RENEW_AGAIN_AFTER_MS = 30_000;

/** Time in milliseconds after a sign-in in which a vault's refusal does not mean that the token has expired. */
const TRUSTED_MS = 60_000;

export interface SignInTime {
  /** Unix milliseconds, which determine the end of a token. The clock may be set at any time. */
  readonly wall?: () => number;
  /** Milliseconds of a clock that only goes forward, which measures the token's lifetime. */
  readonly monotonic?: () => number;
}

/** A kept token. Times are those of the monotonic clock. */
interface Kept {
  /** The token as the SDK gets it. */
  readonly token: Token;
  readonly since: number;
  readonly renewAt: number;
  readonly expiresAt: number;
}

export interface SharedSignIn extends Credential {
  /** Drops a token that a vault rejected, unless the sign-in was less than a minute ago. The next call then signs in again. */
  forget(): void;
}

/** Returns the token that stays in use after a failed renewal; undefined if it does not last for a whole call. */
function toKeepOn(kept: Kept, now: number): Kept | undefined {
  const lastUse = kept.expiresAt - LONGEST_USE_MS;
  return now < lastUse ? { ...kept, renewAt: Math.min(now + RENEW_AGAIN_AFTER_MS, lastUse) } : undefined;
}

/**
 * Shares one sign-in among all calls that need the same token, at the same time or while it lasts: the worker requests a class's first
 * objects together, and each kind of object has its own SDK client. No caller's signal ends a sign-in that others wait for. The sign-in
 * must have a time limit of its own, since all callers share its promise until it ends. A clock that is set back does not make a token last
 * longer.
 */
export function shareSignIn(
  credential: Credential,
  { wall = Date.now, monotonic = () => performance.now() }: SignInTime = {},
): SharedSignIn {
  const underWay = new Map<string, Promise<Token | null>>();
  const tokens = new Map<string, Kept>();

  /**
   * Gives the SDK a token that has already expired, so that the SDK asks here each time. The SDK itself renews a token in its last two
   * minutes, in the background. No caller receives a failure of that renewal, and the failure ends the process.
   */
  function toKeep({ token, expiresOnTimestamp: end, refreshAfterTimestamp }: Token, before: Kept | undefined): Kept {
    const now = monotonic();
    const left = (moment: number): number => now + moment - wall();
    const fresh = { token: { token, expiresOnTimestamp: 0 }, since: now };
    const times = { renewAt: left(refreshAfterTimestamp ?? end - RENEW_BEFORE_MS), expiresAt: left(end) };
    // The SDK's own cache uses the wall clock: if it returns the same token again, the token lasts no longer than before.
    if (before?.token.token !== token) return { ...fresh, ...times };
    const expiresAt = Math.min(before.expiresAt, times.expiresAt);
    return { ...fresh, expiresAt, renewAt: Math.min(times.renewAt, Math.max(expiresAt - RENEW_BEFORE_MS, now)) };
  }

  async function signIn(use: string, ...given: Parameters<GetToken>): Promise<Token | null> {
    try {
      const token = await credential.getToken(...given);
      if (token === null) return null;
      const fresh = toKeep(token, tokens.get(use));
      tokens.set(use, fresh);
      return fresh.token;
    } catch (error) {
      const old = tokens.get(use);
      const kept = old && given[1]?.claims === undefined ? toKeepOn(old, monotonic()) : undefined;
      if (kept === undefined) throw error;
      tokens.set(use, kept);
      return kept.token;
    }
  }

  return {
    getToken: async (scopes, given = {}) => {
      const { abortSignal: _, ...options } = given;
      const use = JSON.stringify([scopes, options.tenantId, options.enableCae]);
      const kept = tokens.get(use);
      // Claims mean that the vault has rejected the current token. The new token replaces it.
      if (kept !== undefined && options.claims === undefined && monotonic() < kept.renewAt) return kept.token;
      const key = JSON.stringify([use, options.claims]);
      const running = underWay.get(key) ?? signIn(use, scopes, options).finally(() => underWay.delete(key));
      // Set after the call has started, before any part of it can have ended.
      underWay.set(key, running);
      return running;
    },
    forget: () => {
      for (const [use, { since }] of tokens) if (monotonic() - since >= TRUSTED_MS) tokens.delete(use);
    },
  };
}
