import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardSignIn } from "../../src/azure/guarded-sign-in.ts";
import { SignInError } from "../../src/azure/sign-in-errors.ts";
import type { VaultErrorOrigin } from "../../src/domain/ports/vault-error.ts";
import { eventually } from "../support/time/eventually.ts";

describe("a token service", () => {
  const reported = (code: "Unreachable" | "Unauthorized", origin: VaultErrorOrigin, words = "no answer"): SignInError =>
    new SignInError({ code, origin, retry: { kind: code === "Unreachable" ? "backoff" : "never" }, words });

  /**
   * A sign-in service that answers, fails, or is silent, called through the guard, with a clock that the test moves. At the end of a
   * silence, this clock shows `earlyMs` milliseconds less than the time limit.
   */
  function aService({ timeoutMs = 20, earlyMs = 0 } = {}) {
    let now = 0;
    let requests = 0;
    const service: { mode: "answers" | "silent" | SignInError } = { mode: "answers" };
    const credential: Parameters<typeof guardSignIn>[0] = {
      getToken: () => {
        requests += 1;
        if (service.mode === "silent") {
          // The time limit uses the real clock. Moves the guard's own clock by the same time.
          now += timeoutMs - earlyMs;
          return new Promise(() => undefined);
        }
        return service.mode === "answers" ? Promise.resolve({ token: "t", expiresOnTimestamp: 1 }) : Promise.reject(service.mode);
      },
    };
    const translate = (error: unknown) => (error instanceof SignInError ? error : reported("Unreachable", "signIn"));
    const guarded = guardSignIn(credential, { translate, timeoutMs, now: () => now });
    const ask = async (): Promise<"token" | SignInError["verdict"]> => {
      try {
        await guarded.getToken("scope");
        return "token";
      } catch (error) {
        assert.ok(error instanceof SignInError);
        return error.verdict;
      }
    };
    return {
      service,
      ask,
      requests: () => requests,
      pass: (milliseconds: number): void => {
        now += milliseconds;
      },
    };
  }

  test("that was silent once is left alone for 5 seconds, and whoever comes is told at once", async () => {
    const { service, ask, requests, pass } = aService();
    service.mode = "silent";
    assert.partialDeepStrictEqual(await ask(), { code: "Unreachable", retry: { kind: "backoff" } });
    pass(1_000);

    const verdicts = await Promise.all([ask(), ask(), ask()]);

    assert.equal(requests(), 1);
    for (const verdict of verdicts) assert.partialDeepStrictEqual(verdict, { retry: { kind: "after", milliseconds: 4_000 } });
  });

  test("RC7: is left alone after one silence, although the timer ends it before the clock shows the time limit", async () => {
    const { service, ask, requests } = aService({ earlyMs: 1 });
    service.mode = "silent";
    await ask();

    assert.partialDeepStrictEqual(await ask(), { retry: { kind: "after" } });
    assert.equal(requests(), 1);
  });

  test("is tried by one sign-in at a time, and asked as before once it has answered, be it with a refusal", async () => {
    const { service, ask, requests, pass } = aService();
    service.mode = "silent";
    await ask();
    pass(5_000);
    const probing = [ask(), ask(), ask()];
    await eventually(async () => (requests() === 2 ? true : undefined), { within: 1_000, every: 1, what: "a probe" });
    assert.deepEqual(
      (await Promise.all(probing)).map((verdict) => verdict !== "token" && verdict.retry.kind),
      ["backoff", "after", "after"],
    );
    assert.equal(requests(), 2);

    service.mode = reported("Unauthorized", "signIn", "no such application");
    pass(10_000);
    assert.partialDeepStrictEqual(await ask(), { words: "no such application" });
    service.mode = "answers";
    assert.deepEqual(await Promise.all([ask(), ask()]), ["token", "token"]);
  });

  test("that refuses connections is left alone after five, and keeps its first words while it lasts", async () => {
    const { service, ask, requests } = aService();
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      service.mode = reported("Unreachable", "signIn", `attempt ${attempt}`);
      assert.partialDeepStrictEqual(await ask(), { words: "attempt 1" });
    }
    assert.equal(requests(), 5);
  });

  test("is not left alone for what others did: the API server, a proxy, the class", async () => {
    const { service, ask, requests } = aService();
    for (const origin of ["apiServer", "proxy", "class", "own"] as const) {
      service.mode = reported("Unreachable", origin);
      for (let attempt = 0; attempt < 6; attempt += 1) await ask();
    }
    assert.equal(requests(), 24);
  });

  const busyFor = (seconds: number): SignInError =>
    new SignInError({ code: "Unreachable", origin: "signIn", retry: { kind: "after", milliseconds: seconds * 1_000 }, words: "busy" });

  test("SW-2: that asks for a pause gets the whole pause, and then one sign-in at a time", async () => {
    const { service, ask, requests, pass } = aService();
    service.mode = busyFor(120);
    assert.partialDeepStrictEqual(await ask(), { retry: { kind: "after", milliseconds: 120_000 } });

    pass(119_000);
    assert.partialDeepStrictEqual(await ask(), { words: "busy", retry: { kind: "after", milliseconds: 1_000 } });
    assert.equal(requests(), 1);

    pass(1_000);
    service.mode = "silent";
    await Promise.all([ask(), ask()]);
    assert.equal(requests(), 2);
  });

  test("SW-2: gets the longest pause that it asks for in sign-ins that were under way together", async () => {
    const ends: ((error: SignInError) => void)[] = [];
    const credential: Parameters<typeof guardSignIn>[0] = { getToken: () => new Promise((_, reject) => ends.push(reject)) };
    const translate = (error: unknown) => (error instanceof SignInError ? error : reported("Unreachable", "own"));
    const guarded = guardSignIn(credential, { translate, now: () => 0 });
    const ask = (): Promise<unknown> =>
      Promise.resolve(guarded.getToken("scope")).then(
        () => "token",
        (error: unknown) => (error instanceof SignInError ? error.verdict.retry : error),
      );
    const asked = [ask(), ask(), ask()];
    for (const [at, seconds] of [60, 300, 90].entries()) ends[at]?.(busyFor(seconds));
    await Promise.all(asked);

    assert.deepEqual(await ask(), { kind: "after", milliseconds: 300_000 });
    assert.equal(ends.length, 3);
  });

  test("C-3: is left alone once for sign-ins that were silent together, though some of them end after the pause", async ({ mock }) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    let now = 0;
    const pass = (milliseconds: number): void => {
      now += milliseconds;
      mock.timers.tick(milliseconds);
    };
    const ends: ((error: SignInError) => void)[] = [];
    const credential: Parameters<typeof guardSignIn>[0] = { getToken: () => new Promise((_, reject) => ends.push(reject)) };
    const translate = (error: unknown) => (error instanceof SignInError ? error : reported("Unreachable", "signIn"));
    const guarded = guardSignIn(credential, { translate, timeoutMs: 25_000, now: () => now });
    const ask = (): Promise<unknown> =>
      Promise.resolve(guarded.getToken("scope")).then(
        () => "token",
        (error: unknown) => (error instanceof SignInError ? error.verdict.retry : error),
      );
    const first = ask();
    pass(8_000);
    const second = ask();

    pass(17_000);
    await first;
    assert.deepEqual(await ask(), { kind: "after", milliseconds: 5_000 }, "the control: it is left alone");
    pass(8_000);
    await second;

    const third = ask();
    assert.equal(ends.length, 3, "it is tried");
    ends[2]?.(reported("Unauthorized", "signIn"));
    assert.deepEqual(await third, { kind: "never" });
  });
});
