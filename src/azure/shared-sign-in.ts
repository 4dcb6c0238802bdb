import type { Credential } from "./credential.ts";

type GetToken = Credential["getToken"];
type Token = NonNullable<Awaited<ReturnType<GetToken>>>;

/** As the SDK does: a token in its last minutes is renewed (milliseconds). */
const RENEW_BEFORE_MS = 300_000;

/** A token that could not be renewed goes on to be used while it lasts for a call, and is tried to be renewed now and then. */
const LONGEST_USE_MS = 60_000;
const RENEW_AGAIN_AFTER_MS = 30_000;

/** So long after a sign-in a vault's refusal says nothing new: what it refuses then is no token that is over (milliseconds). */
const TRUSTED_MS = 60_000;

export interface SignInTime {
  /** Unix milliseconds, by which a token's end is told. May be set at any time. */
  readonly wall?: () => number;
  /** Milliseconds of a clock that only goes forward, by which the token's lifetime is counted. */
  readonly monotonic?: () => number;
}

/** Times by the monotonic clock. */
interface Kept {
  /** As the SDK gets it. */
  readonly token: Token;
  readonly since: number;
  readonly renewAt: number;
  readonly expiresAt: number;
}

export interface SharedSignIn extends Credential {
  /** A vault has refused the token: the next call signs in anew. */
  forget(): void;
}

/** What is still good for a call although its renewal failed. */
function toKeepOn(kept: Kept, now: number): Kept | undefined {
  const lastUse = kept.expiresAt - LONGEST_USE_MS;
  return now < lastUse ? { ...kept, renewAt: Math.min(now + RENEW_AGAIN_AFTER_MS, lastUse) } : undefined;
}

/**
 * One sign-in for all calls that need the same token, at the same time or while it lasts: a class's first objects are asked for
 * together, and each kind of object has an SDK client of its own. Nobody's signal ends what others wait for; the sign-in is to have
 * a bound of its own, since its promise is everybody's until it ends. A clock that is set back makes no token last longer.
 */
export function shareSignIn(
  credential: Credential,
  { wall = Date.now, monotonic = () => performance.now() }: SignInTime = {},
): SharedSignIn {
  const underWay = new Map<string, Promise<Token | null>>();
  const tokens = new Map<string, Kept>();

  /**
   * The SDK gets a token that is over at once, so that it asks here each time. Left to itself it renews a token of its last two minutes in
   * the background, where nobody hears of a failure and the process ends by it.
   */
  function toKeep({ token, expiresOnTimestamp: end, refreshAfterTimestamp }: Token, before: Kept | undefined): Kept {
    const now = monotonic();
    const left = (moment: number): number => now + moment - wall();
    const fresh = { token: { token, expiresOnTimestamp: 0 }, since: now };
    const times = { renewAt: left(refreshAfterTimestamp ?? end - RENEW_BEFORE_MS), expiresAt: left(end) };
    // The SDK's own cache goes by the wall: the same token once more lasts no longer than it did.
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
      // Claims say that the vault has refused the token that there is; the new one takes its place.
      if (kept !== undefined && options.claims === undefined && monotonic() < kept.renewAt) return kept.token;
      const key = JSON.stringify([use, options.claims]);
      const running = underWay.get(key) ?? signIn(use, scopes, options).finally(() => underWay.delete(key));
      // Set after the call has begun, which is before anything of it can have ended.
      underWay.set(key, running);
      return running;
    },
    forget: () => {
      for (const [use, { since }] of tokens) if (monotonic() - since >= TRUSTED_MS) tokens.delete(use);
    },
  };
}
