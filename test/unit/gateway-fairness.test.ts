import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { SimulatedCall } from "../support/simulation/cluster.ts";
import { leadGateways, putIngress } from "../support/simulation/gateways.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const NEIGHBOUR = "a-neighbour";
const VICTIM = "victim";
/** Milliseconds that the worker waits for the API server. */
const SLOW_MS = 15_000;

const isClassWrite = ({ verb, resource, ref }: SimulatedCall, namespace: string): boolean =>
  verb === "apply" && resource.plural === RESOURCES.secretProviderClasses.plural && ref.namespace === namespace;

describe("the queue of Gateways and Ingresses", () => {
  test("A9: writes the class of an Ingress at once, however long those of another namespace take to be written", async () => {
    const world = new SimulatedWorld();
    for (let index = 0; index < 40; index += 1) putIngress(world, { namespace: NEIGHBOUR, name: `shop-${index}` });
    putIngress(world, { namespace: VICTIM, name: "shop" });
    let ofNeighbour = 0;
    world.cluster.latency = (call) => {
      if (!isClassWrite(call, NEIGHBOUR)) return 0;
      ofNeighbour += 1;
      return SLOW_MS;
    };
    const leader = leadGateways(world);

    await world.clock.advance(1_000);

    assert.notEqual(world.cluster.get(RESOURCES.secretProviderClasses, { namespace: VICTIM, name: "keyvault-shop" }), undefined);
    assert.equal(ofNeighbour, 1, "the control: one write of the neighbour is under way");
    await leader.stop();
  });
});
