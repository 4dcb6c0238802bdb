import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VaultClients } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

/** Time (milliseconds) after which the adapter gives up a request without an answer. */
const GIVEN_UP_MS = 30_000;

/** Vaults that never answer if their name begins with `silent-`. */
function partlySilent({ vaults, clock }: SimulatedWorld): VaultClients {
  return {
    clientFor: (address, identity, namespace) => {
      const client = vaults.clientFor(address, identity, namespace);
      if (!address.vaultUrl.includes("silent-")) return client;
      return {
        ...client,
        getSecret: async (_name, _version, signal) => {
          await clock.sleep(GIVEN_UP_MS, signal);
          throw new VaultError("Unreachable", `${address.vaultUrl}: no answer`, { retry: { kind: "backoff" }, origin: "vault" });
        },
      };
    },
  };
}

interface Hostile {
  readonly namespaces: number;
  readonly vaults: number;
  /** Number of classes of each namespace in each vault. */
  readonly classes: number;
}

/**
 * Returns the time (milliseconds) that a class of another namespace waits for its Secret while everything that can hang hangs.
 * Undefined if the wait is too long.
 */
async function victimsWait({ namespaces, vaults, classes }: Hostile): Promise<number | undefined> {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(600_000);
  for (let namespace = 0; namespace < namespaces; namespace++) {
    for (let index = 0; index < vaults * classes; index++) {
      const name = `class-${index}`;
      world.apply({ namespace: `hostile-${namespace}`, name, objects: ["db"], vault: `silent-${index % vaults}`, identity: name });
    }
  }
  const leader = world.lead({ vaults: partlySilent(world) });
  await world.clock.advance(1_000);
  world.apply({ namespace: "victim", name: "app", objects: ["db"] });
  const applied = world.clock.now();
  for (let step = 0; step < 40 && world.value({ namespace: "victim", name: "app-db" }) === undefined; step++)
    await world.clock.advance(1_000);
  const waited = world.value({ namespace: "victim", name: "app-db" }) === undefined ? undefined : world.clock.now() - applied;
  await leader.stop();
  return waited;
}

describe("a namespace whose classes all hang", () => {
  test("S4: leaves workers for another namespace, on however many vaults it hangs", async () => {
    for (const hostile of [
      { namespaces: 1, vaults: 4, classes: 8 },
      { namespaces: 1, vaults: 40, classes: 2 },
      { namespaces: 6, vaults: 8, classes: 8 },
    ]) {
      const waited = await victimsWait(hostile);
      assert.ok(waited !== undefined && waited <= 1_000, `${JSON.stringify(hostile)}: the victim's Secret came after ${waited} ms`);
    }
  });

  test("holds up another for no longer than one request that is given up, even where many namespaces do it together", async () => {
    const waited = await victimsWait({ namespaces: 40, vaults: 3, classes: 4 });

    assert.ok(waited !== undefined && waited <= GIVEN_UP_MS, `the victim's Secret came after ${waited} ms`);
  });
});
