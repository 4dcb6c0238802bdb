import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shareSignIn } from "../../src/azure/shared-sign-in.ts";
import { answerTo, challengeTo, VAULT_URL, vaultOverHttp } from "../support/worker/vault-over-http.ts";

type Credential = Parameters<typeof shareSignIn>[0];

const HOUR = 3_600_000;

/** A credential that records its calls. Each answer waits until the test releases it. */
function aCredential(lifetime: number) {
  const asked: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  let now = 0;
  /** Milliseconds by which the wall clock was set forward. */
  let set = 0;
  const credential: Credential = {
    getToken: async (scopes) => {
      asked.push(String(scopes));
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return { token: `token ${asked.length}`, expiresOnTimestamp: now + set + lifetime };
    },
  };
  return {
    asked,
    shared: shareSignIn(credential, { wall: () => now + set, monotonic: () => now }),
    release: (): void => gates.splice(0).forEach(({ resolve }) => resolve()),
    refuse: (error: Error): void => gates.splice(0).forEach(({ reject }) => reject(error)),
    setClock: (milliseconds: number): void => {
      set = milliseconds;
    },
    pass: (milliseconds: number): void => {
      now += milliseconds;
    },
  };
}

describe("a shared sign-in", () => {
  test("is one for all that wait for the same token", async () => {
    const { asked, shared, release } = aCredential(HOUR);
    const waiting = [shared.getToken("vault"), shared.getToken("vault"), shared.getToken("other")];
    release();
    const tokens = await Promise.all(waiting);
    assert.deepEqual(asked, ["vault", "other"]);
    assert.equal(tokens[0], tokens[1]);
  });

  test("serves while its token lasts, and not in the last five minutes", async () => {
    const { asked, shared, release, pass } = aCredential(HOUR);
    const first = shared.getToken("vault");
    release();
    await first;
    pass(HOUR - 300_001);
    assert.equal(await shared.getToken("vault"), await first);
    pass(1);
    const second = shared.getToken("vault");
    release();
    assert.notEqual(await second, await first);
    assert.equal(asked.length, 2);
  });

  test("that failed is told to all that wait, and tried anew by the next", async () => {
    const { asked, shared, release, refuse } = aCredential(HOUR);
    const waiting = Promise.allSettled([shared.getToken("vault"), shared.getToken("vault")]);
    refuse(new Error("refused"));
    assert.deepEqual(
      (await waiting).map(({ status }) => status),
      ["rejected", "rejected"],
    );
    const next = shared.getToken("vault");
    release();
    assert.ok(await next);
    assert.equal(asked.length, 2);
  });

  test("that could not be renewed leaves the old token in use while it lasts, and is tried again after half a minute", async () => {
    const { asked, shared, release, refuse, pass } = aCredential(HOUR);
    const first = shared.getToken("vault");
    release();
    await first;
    pass(HOUR - 300_000);
    const renewal = shared.getToken("vault");
    refuse(new Error("no answer"));
    assert.equal(await renewal, await first);
    pass(29_999);
    assert.equal(await shared.getToken("vault"), await first);
    assert.equal(asked.length, 2);

    pass(300_000 - 29_999 - 60_000);
    const late = shared.getToken("vault");
    refuse(new Error("no answer"));
    await assert.rejects(late, /no answer/);
  });

  test("for a token that the vault has refused is made anew, and its token serves everybody", async () => {
    const { asked, shared, release, refuse } = aCredential(HOUR);
    const first = shared.getToken("vault");
    release();
    await first;
    const refused = shared.getToken("vault", { claims: "c" });
    refuse(new Error("no answer"));
    await assert.rejects(refused, /no answer/);
    const second = shared.getToken("vault", { claims: "c" });
    release();
    assert.notEqual(await second, await first);
    assert.equal(await shared.getToken("vault"), await second);
    assert.equal(asked.length, 3);
  });

  test("lasts no longer where the clock is set back, and no shorter where it is set ahead", async () => {
    for (const milliseconds of [-HOUR, HOUR]) {
      const { asked, shared, release, pass, setClock } = aCredential(HOUR);
      const first = shared.getToken("vault");
      release();
      await first;
      setClock(milliseconds);
      pass(HOUR - 300_001);
      assert.equal(await shared.getToken("vault"), await first);
      pass(1);
      const second = shared.getToken("vault");
      release();
      assert.notEqual(await second, await first);
      assert.equal(asked.length, 2);
    }
  });

  test("keeps a token that it gets once more no longer than it had to the first time", async () => {
    let [now, set, signIns] = [0, 0, 0];
    const token = { token: "the same", expiresOnTimestamp: HOUR };
    const credential: Credential = {
      getToken: async () => {
        signIns += 1;
        return token;
      },
    };
    const shared = shareSignIn(credential, { wall: () => now + set, monotonic: () => now });
    await shared.getToken("vault");
    [now, set] = [HOUR, -HOUR];
    await shared.getToken("vault");
    await shared.getToken("vault");
    assert.equal(signIns, 3);
  });

  test("is made anew once the vault has refused a token of more than a minute, and not for a fresh one", async () => {
    const { asked, shared, release, pass } = aCredential(HOUR);
    const first = shared.getToken("vault");
    release();
    await first;
    shared.forget();
    assert.equal(await shared.getToken("vault"), await first);
    pass(60_000);
    shared.forget();
    const second = shared.getToken("vault");
    release();
    assert.notEqual(await second, await first);
    assert.equal(asked.length, 2);
  });

  test("is forgotten where the vault refuses its token, and not where it refuses anything else", async () => {
    const statuses = [401, 403, 404];
    const forgotten: number[] = [];
    for (const status of statuses) {
      const client = vaultOverHttp(async (request) => challengeTo(request) ?? answerTo(request, status, { error: { code: "x" } }), {
        forget: () => void forgotten.push(status),
      });
      await assert.rejects(client.getSecret("a", undefined, new AbortController().signal));
    }
    assert.deepEqual(forgotten, [401]);
  });

  test("is not ended by the signal of one that waits", async () => {
    let seen: unknown;
    const shared = shareSignIn({
      getToken: (_, options) => {
        seen = options;
        return Promise.resolve(null);
      },
    });
    assert.equal(await shared.getToken("vault", { abortSignal: AbortSignal.abort(), tenantId: "t" }), null);
    assert.deepEqual(seen, { tenantId: "t" });
  });

  test("is asked at each request, so that the SDK renews no token in the background, where a failure is nobody's", async () => {
    const requests: string[] = [];
    let signIns = 0;
    const credential: Credential = {
      getToken: async () => {
        signIns += 1;
        return { token: "t", expiresOnTimestamp: Date.now() + HOUR };
      },
    };
    const shared = shareSignIn(credential);
    const counting: Credential = {
      getToken: (...given) => {
        requests.push(String(given[0]));
        return shared.getToken(...given);
      },
    };
    const client = vaultOverHttp(
      async (request) => challengeTo(request) ?? answerTo(request, 200, { value: "v", id: `${VAULT_URL}secrets/a/${"0".repeat(32)}` }),
      { credential: counting },
    );
    for (let call = 0; call < 3; call += 1) await client.getSecret("a", undefined, new AbortController().signal);
    assert.equal(requests.length, 3);
    assert.equal(signIns, 1);
  });
});
