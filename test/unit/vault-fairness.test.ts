import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import type { VaultObjectKind } from "../../src/domain/ports/vault-object.ts";
import { VaultGate } from "../../src/sync/vault/vault-gate.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/manual-clock.ts";

let clock: ManualClock;
let gate: VaultGate;

beforeEach(() => {
  clock = new ManualClock();
  const vaultMetrics = createVaultMetrics(new Registry());
  gate = new VaultGate("https://shared.vault.azure.net/", { clock, random: () => 0, metrics: vaultMetrics });
});

/** Asks for so many objects at once. When each was asked for, in milliseconds from now, is in the list as it happens. */
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
    // Ten of 300 a second, every second turn.
    assert.ok((modest.at(-1) ?? 0) <= 80, `the last after ${modest.at(-1)} ms`);
    assert.ok(greedy.length < 600, "the control: there is much more to wait for");
  });

  test("S4: is shared among all that wait, whatever one of them asks for", async () => {
    asksFor(1_200, "greedy");
    await clock.advance(10);
    const namespaces = Array.from({ length: 5 }, (_, index) => asksFor(20, `team-${index}`));

    // 20 objects each for six, at 300 a second.
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
