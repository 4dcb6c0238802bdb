import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const SLOW_MS = 9_000;
const slow = Array.from({ length: 24 }, (_, index) => `slow-${index}`);
const names = Array.from({ length: 20 }, (_, index) => `web-${index}`);

describe("namespaces whose workloads are slow to be written", () => {
  let restarts: Restarts | undefined;
  afterEach(() => restarts?.stop());

  test("R18-15: hold up no other's restart for long, and all of theirs come through", async () => {
    restarts = new Restarts();
    for (const namespace of [...slow, "other"]) restarts.team(namespace);
    restarts.deploy("other", "web");
    // The worker restarts workloads that are down at once, however many there are.
    const conditions = [{ type: "Progressing", reason: "ProgressDeadlineExceeded" }];
    for (const namespace of slow) for (const name of names) restarts.deploy(namespace, name);
    await restarts.lead();
    for (const namespace of slow)
      for (const name of names) restarts.report(namespace, name, { replicas: 1, updatedReplicas: 1, availableReplicas: 0, conditions });
    restarts.world.cluster.latency = ({ verb, resource, ref }) =>
      verb === "patch" && resource.plural === WORKLOADS.Deployment.plural && ref.namespace !== "other" ? SLOW_MS : 0;

    await restarts.rotate(...slow, "other");
    await restarts.pass(MINUTE);
    assert.ok(restarts.stamp("other", "web"), "in a minute");

    await restarts.pass(15 * MINUTE);
    for (const namespace of slow) for (const name of names) assert.ok(restarts.stamp(namespace, name), `${namespace}/${name}`);
  });
});
