import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GATEWAY_MANAGER } from "../../src/domain/gateways/made-for.ts";
import { OWNER_RESOURCES } from "../../src/domain/gateways/owner-kinds.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { leadGateways, putIngress } from "../support/simulation/gateways.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const REF = { namespace: "shop", name: "web" };

describe("an Ingress whose author used the worker's field manager", () => {
  test("A20: gets its class, and keeps what its author wrote", async () => {
    const world = new SimulatedWorld();
    const before = putIngress(world, { ...REF, manager: GATEWAY_MANAGER });
    assert.deepEqual(
      (before.metadata.managedFields ?? []).map(({ manager }) => manager),
      [GATEWAY_MANAGER],
      "the control",
    );
    const leader = leadGateways(world);

    await world.clock.advance(10_000);

    assert.notEqual(world.cluster.get(RESOURCES.secretProviderClasses, { ...REF, name: "keyvault-web" }), undefined);
    const after = world.cluster.get(OWNER_RESOURCES.Ingress, REF) ?? assert.fail();
    assert.deepEqual({ ...after, metadata: undefined }, { ...before, metadata: undefined });
    assert.equal(
      (after.metadata.managedFields ?? []).some(({ manager }) => manager === GATEWAY_MANAGER),
      false,
    );
    await leader.stop();
  });
});
