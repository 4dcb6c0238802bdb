import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VaultClient, VaultClients } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };

/** Two intervals, and extra time for a late poll. */
const BOUND = 2.5 * INTERVAL + 15_000;

/** The vaults, with trouble for the requests of one identity. */
function withTrouble(world: SimulatedWorld, identity: string, trouble: (client: VaultClient) => VaultClient): VaultClients {
  const changed = new WeakMap<VaultClient, VaultClient>();
  return {
    clientFor: (address, asked, namespace) => {
      const client = world.vaults.clientFor(address, asked, namespace);
      if (asked.clientId !== identity) return client;
      const known = changed.get(client) ?? trouble(client);
      changed.set(client, known);
      return known;
    },
  };
}

/** Time of the last request of the class's identity to the vault. */
class LastCheck {
  at = 0;

  constructor(world: SimulatedWorld) {
    world.vaults.failure = () => {
      if (world.vaults.requests.at(-1)?.startsWith("app: ") === true) this.at = world.clock.now();
      return undefined;
    };
  }
}

async function synced(vaults?: (world: SimulatedWorld) => VaultClients) {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(600_000);
  world.apply({ ...CLASS, objects: ["db"], identity: "app" });
  const leader = world.lead(vaults === undefined ? {} : { vaults: vaults(world) });
  await world.clock.advance(3 * INTERVAL);
  assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
  return { world, leader };
}

interface Claims {
  /** The longest time (milliseconds) for which `Fresh` was true after the last check. */
  readonly longest: number;
  /** Other values of the condition. */
  readonly others: readonly string[];
}

async function claimsOver(milliseconds: number, world: SimulatedWorld, lastCheck: () => number): Promise<Claims> {
  const said = new Map<string, number>();
  for (let passed = 0; passed < milliseconds; passed += 5_000) {
    await world.clock.advance(5_000);
    const fresh = world.condition(CLASS, "Fresh");
    said.set(fresh, Math.max(said.get(fresh) ?? 0, world.clock.now() - lastCheck()));
  }
  return { longest: said.get("True Synced") ?? 0, others: [...said.keys()].filter((each) => each !== "True Synced") };
}

describe("a class is fresh by what was seen of it, and", () => {
  test("U8: is not while polls are answered by an old list, because the vault throttles others", async () => {
    const throttled = new VaultError("Throttled", "https://vault-1.vault.azure.net: the vault is throttling requests (429)", {
      retry: { kind: "backoff" },
      origin: "vault",
    });
    const refusing = (client: VaultClient): VaultClient => ({ ...client, getSecret: () => Promise.reject(throttled) });
    const { world, leader } = await synced((made) => withTrouble(made, "noisy", refusing));
    const last = new LastCheck(world);
    await world.clock.advance(INTERVAL);
    for (let index = 0; index < 12; index++)
      world.apply({ namespace: "noisy", name: `class-${index}`, objects: ["db"], identity: "noisy" });

    const { longest, others } = await claimsOver(16 * INTERVAL, world, () => last.at);

    assert.ok(longest <= BOUND, `fresh for ${longest} ms after the last check`);
    assert.deepEqual(others, ["False Throttled"]);
    // The last poll may fall into a pause of the vault, so that the worker retries it.
    await world.clock.advance(15_000);
    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    await leader.stop();
  });

  test("U8: is not while the vault is silent and nobody has given up waiting for it", async () => {
    let isSilent = false;
    const waiting = (client: VaultClient): VaultClient => ({
      ...client,
      listObjects: (kind, signal) => (isSilent ? silence(signal) : client.listObjects(kind, signal)),
    });
    const { world, leader } = await synced((made) => withTrouble(made, "app", waiting));
    const last = new LastCheck(world);
    await world.clock.advance(INTERVAL);
    isSilent = true;

    const { longest, others } = await claimsOver(8 * INTERVAL, world, () => last.at);

    assert.ok(longest <= BOUND, `fresh for ${longest} ms after the last check`);
    assert.deepEqual(others, ["False Stale"]);
    await leader.stop();
  });

  test("stays so as long as polls are answered, writes nothing for it, and is so again when they are", async () => {
    let isSilent = false;
    const waiting = (client: VaultClient): VaultClient => ({
      ...client,
      listObjects: (kind, signal) => (isSilent ? givenUp(world, signal) : client.listObjects(kind, signal)),
    });
    const { world, leader } = await synced((made) => withTrouble(made, "app", waiting));
    const writes = world.cluster.writes.length;
    await world.clock.advance(25 * INTERVAL);
    assert.equal(world.cluster.writes.length, writes);

    isSilent = true;
    await world.clock.advance(4 * INTERVAL);
    assert.match(world.condition(CLASS, "Fresh"), /^False/);
    isSilent = false;
    await world.clock.advance(6 * INTERVAL);

    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    await leader.stop();
  });
});

// oxlint-disable-next-line eslint/require-yield -- a list that never comes.
async function* silence(signal: AbortSignal): AsyncGenerator<never> {
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

// oxlint-disable-next-line eslint/require-yield -- as above.
async function* givenUp(world: SimulatedWorld, signal: AbortSignal): AsyncGenerator<never> {
  await world.clock.sleep(5 * 60_000, signal);
  throw new VaultError("Unreachable", "https://vault-1.vault.azure.net: no answer", { retry: { kind: "backoff" }, origin: "vault" });
}
