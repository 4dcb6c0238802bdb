import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import type { SimulatedCall } from "../support/simulation/cluster.ts";
import { silencing } from "../support/simulation/silent-vaults.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const NEIGHBOUR = "a-neighbour";
const VICTIM = { namespace: "victim", name: "app" };
/** Time until a class no longer counts as fresh: two and a half intervals, and one review. */
const CALLED_FRESH_MS = 2.5 * INTERVAL + 15_000;

function isStatusWrite({ verb, resource, ref }: SimulatedCall, namespace: string): boolean {
  return verb === "apply" && resource.plural === RESOURCES.secretProviderClassSyncs.plural && ref.namespace === namespace;
}

/** Classes of two namespaces that were fresh when the vault stopped answering: from now on, only the review changes their statuses. */
async function whenTheVaultIsSilent(neighbours: number) {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(600_000);
  for (let index = 0; index < neighbours; index += 1) world.apply({ namespace: NEIGHBOUR, name: `app-${index}`, objects: ["db"] });
  world.apply({ ...VICTIM, objects: ["db"] });
  let isSilent = false;
  const leader = world.lead({ vaults: silencing(world, () => isSilent) });
  await world.clock.advance(3 * INTERVAL);
  isSilent = true;
  return { world, leader };
}

describe("the review of statuses", () => {
  test("C-6: says of a class that it is not fresh, however long the statuses of another namespace take to be written", async () => {
    const { world, leader } = await whenTheVaultIsSilent(40);
    let ofNeighbour = 0;
    world.cluster.latency = (call) => {
      if (!isStatusWrite(call, NEIGHBOUR)) return 0;
      ofNeighbour += 1;
      return 10_000;
    };

    await world.clock.advance(INTERVAL + CALLED_FRESH_MS);

    assert.match(world.condition(VICTIM, "Fresh"), /^False/);
    assert.ok(ofNeighbour > 0 && ofNeighbour < 40, `the control: of the neighbour's 40 writes ${ofNeighbour} have begun`);
    await leader.stop();
  });

  test("C-6: stores what could not be stored, also while the statuses of another namespace cannot be written at all", async () => {
    const { world, leader } = await whenTheVaultIsSilent(1);
    const tried = { [NEIGHBOUR]: 0, [VICTIM.namespace]: 0 };
    world.cluster.fault = (call) => {
      const namespace = Object.keys(tried).find((each) => isStatusWrite(call, each));
      if (namespace === undefined) return undefined;
      tried[namespace] = (tried[namespace] ?? 0) + 1;
      if (namespace === VICTIM.namespace && tried[namespace] > 1) return undefined;
      return new KubeError("Unavailable", "HTTP 500: failed calling webhook", { retry: { kind: "backoff" } });
    };

    await world.clock.advance(INTERVAL + CALLED_FRESH_MS + 60_000);

    assert.match(world.condition(VICTIM, "Fresh"), /^False/);
    assert.equal(tried[VICTIM.namespace], 2);
    assert.ok((tried[NEIGHBOUR] ?? 0) > 2, "the control: the neighbour's are tried again and again");
    await leader.stop();
  });

  test("C-6: leaves the other statuses of a namespace for the next one where the API server does not answer for it", async () => {
    const { world, leader } = await whenTheVaultIsSilent(40);
    const tried = new Map<number, number>();
    world.cluster.fault = (call) => {
      if (!isStatusWrite(call, NEIGHBOUR)) return undefined;
      tried.set(world.clock.now(), (tried.get(world.clock.now()) ?? 0) + 1);
      return new KubeError("Unavailable", "HTTP 500: failed calling webhook", { retry: { kind: "backoff" } });
    };

    await world.clock.advance(INTERVAL + CALLED_FRESH_MS + 60_000);

    assert.ok(tried.size > 10, `tried ${tried.size} times`);
    assert.equal(Math.max(...tried.values()), 1);
    await leader.stop();
  });
});
