import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { BudgetedClient } from "../../src/sync/vault/vault-budget.ts";
import { VaultListings } from "../../src/sync/vault/vault-listings.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

/** Milliseconds that the gate makes a namespace wait. A namespace with many requests waits longer. */
const WAITS: Readonly<Record<string, number>> = { busy: 31_700, modest: 2_990 };

function throttledFor(namespace: string): VaultError {
  const milliseconds = WAITS[namespace] ?? 0;
  return new VaultError("Throttled", "429", { retry: { kind: "after", milliseconds }, origin: "vault" });
}

describe("R20-7: a list that is throttled while two namespaces wait for it", () => {
  test("has each wait as long as its own namespace has to", async () => {
    const clock = new ManualClock();
    const client = {
      stretchFor: () => 1,
      inLineOf: (namespace: string) => ({
        listObjects: async function* () {
          yield [];
          await clock.sleep(10, new AbortController().signal);
          throw throttledFor(namespace);
        },
      }),
    } as unknown as BudgetedClient; // The list calls nothing else.
    const listings = new VaultListings({ client, clock, wanted: () => 100, selectedTags: () => undefined, onTaken: () => undefined });
    const ask = (namespace: string): Promise<unknown> =>
      listings
        .current("secret", { namespace, due: clock.now(), interval: 1_000, period: 1_000 }, new AbortController().signal)
        .catch((error: unknown) => (error instanceof VaultError ? error.retry : error));

    const asked = [ask("busy"), ask("modest")];
    await clock.advance(10);
    await clock.advance(10);

    assert.deepEqual(
      await Promise.all(asked),
      ["busy", "modest"].map((namespace) => ({ kind: "after", milliseconds: WAITS[namespace] })),
    );
  });
});
