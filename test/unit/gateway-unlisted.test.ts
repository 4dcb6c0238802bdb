import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OWNER_RESOURCES } from "../../src/domain/gateways/owner-kinds.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { ASKING, leadGateways, putGateway } from "../support/simulation/gateways.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

describe("a Gateway that falls due while the API server lists no Gateways", () => {
  test("RC-4: gets its class once they are listed again, although nothing of it has changed", async () => {
    const world = new SimulatedWorld();
    const { cluster, clock } = world;
    let tries = 0;
    cluster.fault = ({ verb, resource }) => {
      if (verb !== "apply" || resource !== RESOURCES.secretProviderClasses) return undefined;
      tries += 1;
      return new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
    };
    const leader = leadGateways(world);
    putGateway(world, { namespace: "team", name: "shop", listeners: [{ name: "web", options: ASKING }] });
    await clock.advance(100);
    assert.equal(tries, 1, "the control: it is due again in a moment");

    const serve = cluster.refuseLists(OWNER_RESOURCES.Gateway);
    cluster.cutWatches(OWNER_RESOURCES.Gateway)();
    cluster.fault = () => undefined;
    await clock.advance(30_000);
    assert.deepEqual(cluster.all(RESOURCES.secretProviderClasses), [], "the control: nothing is concluded meanwhile");
    serve();
    await clock.advance(30_000);

    assert.deepEqual(
      cluster.all(RESOURCES.secretProviderClasses).map(({ metadata }) => metadata.name),
      ["kv-gw-cert-shop-web"],
    );
    await leader.stop();
  });
});
