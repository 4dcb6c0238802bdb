import type { Credential } from "./credential.ts";

type GetToken = Credential["getToken"];
type Token = Awaited<ReturnType<GetToken>>;

/** As the SDK does: a token in its last minutes is not handed out any more (milliseconds). */
const REFRESH_BEFORE_MS = 300_000;

/**
 * One sign-in for all calls that need the same token, at the same time or while it lasts: a class's first objects are asked for
 * together, and each kind of object has an SDK client of its own. Nobody's signal ends what others wait for; the sign-in has its own
 * bounds.
 */
export function shareSignIn(credential: Credential, now: () => number = Date.now): Credential {
  const underWay = new Map<string, Promise<Token>>();
  const tokens = new Map<string, NonNullable<Token>>();

  async function signIn(key: string, ...given: Parameters<GetToken>): Promise<Token> {
    try {
      const token = await credential.getToken(...given);
      if (token !== null) tokens.set(key, token);
      return token;
    } finally {
      underWay.delete(key);
    }
  }

  return {
    getToken: async (scopes, given = {}) => {
      const { abortSignal: _, ...options } = given;
      const key = JSON.stringify([scopes, options.tenantId, options.claims, options.enableCae]);
      const token = tokens.get(key);
      if (token !== undefined && now() < (token.refreshAfterTimestamp ?? token.expiresOnTimestamp - REFRESH_BEFORE_MS)) return token;
      const running = underWay.get(key) ?? signIn(key, scopes, options);
      // Set after the call has begun, which is before anything of it can have ended.
      underWay.set(key, running);
      return running;
    },
  };
}
