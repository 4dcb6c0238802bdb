import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { VaultObjectKind } from "../../src/domain/ports/vault-object.ts";
import { withBudget } from "../../src/sync/vault/vault-budget.ts";
import { VaultGate } from "../../src/sync/vault/vault-gate.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const VAULT_URL = "https://shared.vault.azure.net/";

let clock: ManualClock;
let gate: VaultGate;

let random: number;

beforeEach(() => {
  clock = new ManualClock();
  random = 0;
  const vaultMetrics = createVaultMetrics(new Registry());
  gate = new VaultGate(VAULT_URL, { clock, random: () => random, metrics: vaultMetrics });
});

/** Requests this number of objects at once. The returned list receives the time of each request, in milliseconds from now. */
function asksFor(count: number, namespace: string, kind: VaultObjectKind = "secret"): readonly number[] {
  const began = clock.now();
  const asked: number[] = [];
  const signal = new AbortController().signal;
  const ask = async (): Promise<void> => void asked.push(clock.now() - began);
  for (let index = 0; index < count; index += 1) gate.pass({ kind, operation: "get", namespace }, ask, signal).catch(() => undefined);
  return asked;
}

describe("the budget of a vault that several namespaces share", () => {
  test("S4: is shared by turns: one that asks for thousands of objects delays another's by one turn each", async () => {
    const greedy = asksFor(1_500, "greedy");
    await clock.advance(10);
    const modest = asksFor(10, "modest");

    await clock.advance(200);

    assert.equal(modest.length, 10, "all of the other's");
    // Ten requests at 300 a second, with every second turn.
    assert.ok((modest.at(-1) ?? 0) <= 80, `the last after ${modest.at(-1)} ms`);
    assert.ok(greedy.length < 600, "the control: there is much more to wait for");
  });

  test("S4: is shared among all that wait, whatever one of them asks for", async () => {
    asksFor(1_200, "greedy");
    await clock.advance(10);
    const namespaces = Array.from({ length: 5 }, (_, index) => asksFor(20, `team-${index}`));

    // 20 objects for each of six namespaces, at 300 a second.
    await clock.advance(6 * 20 * (1_000 / 300) + 50);

    assert.deepEqual(
      namespaces.map(({ length }) => length),
      namespaces.map(() => 20),
    );
  });

  test("S4: of keys, which is a small one, is shared as well, and holds up no secrets", async () => {
    asksFor(400, "greedy", "key");
    await clock.advance(10);
    const keys = asksFor(3, "modest", "key");
    const secrets = asksFor(3, "modest");

    await clock.advance(400);

    assert.equal(keys.length, 3);
    assert.ok(
      secrets.every((after) => after < 20),
      secrets.join(),
    );
  });

  test("is one namespace's alone where no other asks", async () => {
    const alone = asksFor(1_500, "alone");
    await clock.advance(1_000);
    assert.ok(alone.length >= 795 && alone.length <= 805, String(alone.length));
    await clock.advance(3_000);
    assert.equal(alone.length, 1_500);
  });
});

describe("lists of versions", () => {
  test("S4: of thousands of versions take a turn for each page, in their namespace's line", async () => {
    const client = {
      async *listVersions() {
        for (let page = 0; page < 1_000; page += 1) yield [{ version: `v${page}`, isEnabled: true, created: page }];
      },
      getSecret: async () => assert.fail("not asked for here"),
    } as unknown as VaultClient; // The budget calls nothing else.
    const address = { vaultUrl: VAULT_URL, authorityHost: "https://login.microsoftonline.com/", tenantId: "t" };
    const options = { clock, random: () => 0, metrics: createVaultMetrics(new Registry()) };
    const budgeted = withBudget({ clientFor: () => client }, options).clientFor(
      address,
      { kind: "managedIdentity", clientId: "app" },
      "greedy",
    );
    const signal = new AbortController().signal;
    const lists = Array.from({ length: 8 }, () => Array.fromAsync(budgeted.inLineOf("greedy").listVersions("secret", "a", signal)));
    await clock.advance(5_000);
    const began = clock.now();
    let waited = Number.POSITIVE_INFINITY;
    void Array.fromAsync(budgeted.inLineOf("modest").listVersions("secret", "b", signal), () => {
      waited = Math.min(waited, clock.now() - began);
    });
    await clock.advance(1_000);

    assert.ok(waited < 100, `the other's first page came after ${waited} ms`);
    await clock.advance(60_000);
    assert.equal((await Promise.all(lists)).length, 8, "the control: they go on");
  });
});

describe("a vault that throttles", () => {
  const signal = new AbortController().signal;
  const asks = async (namespace: string, answer: () => Promise<void> = async () => {}): Promise<unknown> =>
    gate.pass({ kind: "secret", operation: "get", namespace }, answer, signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  const refused = (): Promise<void> =>
    Promise.reject(new VaultError("Throttled", "the vault throttles", { retry: { kind: "after", milliseconds: 5_000 }, origin: "vault" }));
  const retryOf = (error: unknown): unknown => (error instanceof VaultError ? error.retry : error);

  test("S4: is polled less often by those who ask for much, and by others as before", async () => {
    for (let index = 0; index < 100; index += 1) await asks("greedy");
    for (let index = 0; index < 10; index += 1) await asks("modest");
    await asks("greedy", refused);

    assert.deepEqual([gate.stretchFor("greedy"), gate.stretchFor("modest"), gate.stretchFor("new")], [2, 1, 1]);
  });

  test("S4: is asked again by those who ask for little within a second of its pause, and by others over half a minute", async () => {
    for (let index = 0; index < 100; index += 1) await asks("greedy");
    random = 0.5;

    assert.deepEqual(retryOf(await asks("greedy", refused)), { kind: "after", milliseconds: 20_000 });
    assert.deepEqual(retryOf(await asks("modest")), { kind: "after", milliseconds: 5_500 });
  });

  test("is polled less often by all where no namespace stands out, whoever it is that the vault is throttled for", async () => {
    for (const namespace of ["a", "b", "c"]) for (let index = 0; index < 10; index += 1) await asks(namespace);
    for (const namespace of ["b", "c"]) await asks(namespace);
    await asks("a", refused);

    assert.deepEqual(
      ["a", "b", "c"].map((namespace) => gate.stretchFor(namespace)),
      [2, 2, 2],
    );
  });

  test("S4: is polled as before by one that asked for a good deal, beside another that asked for most of it", async () => {
    for (let index = 0; index < 100; index += 1) await asks("steady");
    for (let index = 0; index < 280; index += 1) await asks("greedy");
    await asks("greedy", refused);

    assert.deepEqual([gate.stretchFor("greedy"), gate.stretchFor("steady")], [2, 1]);
  });

  test("S4: forgets in minutes who asked for much", async () => {
    for (let index = 0; index < 100; index += 1) await asks("once-greedy");
    await clock.advance(5 * 60_000);
    for (let index = 0; index < 10; index += 1) await asks("steady");
    await asks("once-greedy", refused);

    assert.deepEqual([gate.stretchFor("once-greedy"), gate.stretchFor("steady")], [1, 2]);
  });

  test("H1: is polled as before by one that asked for more than the vault still counts, such as at its first sync", async () => {
    for (let index = 0; index < 353; index += 1) await asks("synced-earlier");
    await clock.advance(10_001);
    for (let index = 0; index < 332; index += 1) await asks("greedy");
    await asks("greedy", refused);

    assert.deepEqual([gate.stretchFor("greedy"), gate.stretchFor("synced-earlier")], [2, 1]);
  });

  test("H1: is polled as before by the first after a pause: what was sent before it counts as long as without it", async () => {
    for (let index = 0; index < 100; index += 1) await asks("greedy");
    await asks("greedy", refused);
    for (let pause = 0; pause < 2; pause += 1) {
      await clock.advance(6_000);
      await asks("modest", refused);
    }

    assert.deepEqual([gate.stretchFor("greedy"), gate.stretchFor("modest")], [8, 1]);
  });

  test("H1: is polled less often by one whose requests wait, also if another sent more until now", async () => {
    for (let index = 0; index < 250; index += 1) await asks("modest");
    for (let index = 0; index < 600; index += 1) void asks("greedy");
    for (let index = 0; index < 90; index += 1) void asks("modest");
    const refusal = asks("modest", refused);
    await clock.advance(100);
    assert.ok((await refusal) instanceof VaultError);

    assert.deepEqual([gate.stretchFor("greedy"), gate.stretchFor("modest")], [2, 1]);
  });

  test("S4: is polled as before by the others until its rate is whole again, also when who asked for much has stopped", async () => {
    for (let index = 0; index < 100; index += 1) await asks("greedy");
    for (let pause = 0; pause < 3; pause += 1) {
      await asks("greedy", refused);
      await clock.advance(6_000);
    }
    const stretches: number[] = [];
    for (let second = 0; second < 120; second += 1) {
      await asks("steady");
      stretches.push(gate.stretchFor("steady"));
      await clock.advance(1_000);
    }

    assert.deepEqual(new Set(stretches), new Set([1]));
    assert.equal(gate.stretchFor("greedy"), 1, "the rate is whole again");
  });
});
