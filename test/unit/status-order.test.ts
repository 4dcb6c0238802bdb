import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { createRolloutMetrics } from "../../src/sync/rollouts/rollout-metrics.ts";
import { createRollouts } from "../../src/sync/rollouts/rollouts.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };

/** A Deployment that asks for restarts, with all pods ready. */
function deployment(): KubeObject {
  const annotations = { "keyvault-injector.dev/restart-on-rotation": "true" };
  const container = { name: "web", envFrom: [{ secretRef: { name: "app-db" } }] };
  const made = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "team", name: "web" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { annotations }, spec: { containers: [container] } },
    },
    status: { observedGeneration: 9, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
  return made;
}

/** A synced class whose status reports that its workload is rotated. */
async function rotatedWorld() {
  const world = new SimulatedWorld();
  const { clock, cluster, logger } = world;
  world.vaults.set("db");
  await clock.advance(600_000);
  world.apply({ ...CLASS, objects: ["db"] });
  cluster.put(WORKLOADS.Deployment, deployment());
  const rollouts = createRollouts({
    settings: {
      mostAtATime: 1,
      timeoutMs: 600_000,
      filesGraceMs: 600_000,
      controls: { mode: "act", window: { kind: "always" } },
      mostInCluster: 9_999,
      respectsBudgets: false,
      watchesArgo: false,
    },
    watcher: cluster.watcher,
    metrics: createRolloutMetrics(world.registry),
    clock,
    logger,
    random: () => 0.5,
  });
  const leader = world.lead({ rollouts });
  await clock.advance(10_000);
  const types = (): readonly string[] => world.status(CLASS)?.conditions.map(({ type }) => type) ?? [];
  assert.ok(types().includes("Rotated"), types().join());
  return { world, leader, types };
}

describe("two writes of one status that are under way together", () => {
  test("C12: take effect in the order in which they were decided, however long the first one takes", async () => {
    const { world, leader, types } = await rotatedWorld();
    const { clock, cluster } = world;
    let statusWrites = 0;
    cluster.latency = ({ verb, resource }) => {
      if (verb !== "apply" || resource.plural !== RESOURCES.secretProviderClassSyncs.plural) return 0;
      statusWrites += 1;
      return statusWrites === 1 ? 10_000 : 0;
    };

    cluster.delete(WORKLOADS.Deployment, { namespace: "team", name: "web" });
    await clock.advance(1_000);
    world.vaults.set("db");
    world.apply({ ...CLASS, objects: ["db"], annotations: { "keyvault-injector.dev/refresh": "now" } });
    await clock.advance(20_000);

    assert.ok(statusWrites >= 2, "the writes never met");
    assert.equal(world.value({ namespace: "team", name: "app-db" }), "db@v2");
    assert.equal(world.status(CLASS)?.secrets[0]?.data[0]?.version, "v2");
    assert.equal(world.status(CLASS)?.observedRefresh, "now");
    assert.equal(types().includes("Rotated"), false);
    await leader.stop();
  });
});
