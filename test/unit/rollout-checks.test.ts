import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { POD_ANNOTATIONS, PREFIX } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { refusal } from "../support/simulation/cluster.ts";
import { Restarts } from "../support/simulation/restarts.ts";
import type { SimulatedWorld } from "../support/simulation/world.ts";

const MINUTE = 60_000;
const TEAM = "team";

let restarts: Restarts;
afterEach(() => restarts.stop());

/** A Deployment `web` whose Secret is there, and a worker that restarts it. */
async function leading(...more: ConstructorParameters<typeof Restarts>): Promise<Restarts> {
  restarts = new Restarts(...more);
  await restarts.pass(Date.UTC(2026, 10, 30, 12) - restarts.world.clock.now());
  restarts.team(TEAM);
  restarts.deploy(TEAM, "web");
  await restarts.lead();
  return restarts;
}

describe("a version that has come into its Secret", () => {
  test("R18-16: restarts the workload while the status of its class is not taken", async () => {
    const { world } = await leading();
    let refused = 0;
    world.cluster.fault = ({ verb, resource }) => {
      if (verb !== "apply" || resource.plural !== RESOURCES.secretProviderClassSyncs.plural) return undefined;
      refused += 1;
      return refusal("Unavailable", 500);
    };
    await restarts.rotate(TEAM);
    await restarts.pass(MINUTE);
    assert.ok(refused > 0, "every status was taken");
    assert.equal(world.value({ namespace: TEAM, name: `app-${TEAM}` }), `${TEAM}@v2`);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined);
  });
});

describe("the condition Rotated", () => {
  for (const enableSecretRotation of [true, false]) {
    test(`R18-17: goes with --restart-workloads=false, ${enableSecretRotation ? "with" : "without"} polls`, async () => {
      const { world } = await leading();
      assert.match(restarts.rotated(TEAM), /^True Rotated/);
      await restarts.stop();
      const leader = world.lead({ settings: { enableSecretRotation } });
      await restarts.pass(15_000);
      assert.equal(restarts.rotated(TEAM), "none");
      assert.equal(world.condition({ namespace: TEAM, name: "app" }, "Ready"), "True Synced");
      await leader.stop();
    });
  }
});

describe("R18-19: the partition of a StatefulSet", () => {
  const REF = { namespace: TEAM, name: "db" };

  /** Three pods of a StatefulSet with that partition, all of them older than the version that has come. */
  async function rotatedWith(partition: number): Promise<SimulatedWorld> {
    const { world } = await leading();
    const annotations = { [POD_ANNOTATIONS.restartOnRotation]: "true" };
    const container = { name: "db", envFrom: [{ secretRef: { name: `app-${TEAM}` } }] };
    world.cluster.put(WORKLOADS.StatefulSet, {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: REF,
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "db" } },
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition } },
        template: { metadata: { annotations }, spec: { containers: [container] } },
      },
      status: { observedGeneration: 1, replicas: 3, updatedReplicas: 3, availableReplicas: 3 },
    } as KubeObject);
    for (const ordinal of [0, 1, 2]) putPod(world, ordinal, undefined);
    await restarts.pass(MINUTE);
    await restarts.rotate(TEAM);
    return world;
  }

  function putPod(world: SimulatedWorld, ordinal: number, stamp: string | undefined): void {
    const annotations = stamp === undefined ? {} : { [POD_ANNOTATIONS.rotated]: stamp };
    const metadata = { namespace: TEAM, name: `db-${ordinal}`, labels: { app: "db" }, annotations };
    const lastTransitionTime = new Date(world.clock.now()).toISOString();
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
    world.cluster.put(RESOURCES.pods, { apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running", conditions } } as KubeObject);
  }

  function live(world: SimulatedWorld) {
    const found = world.cluster.get<KubeObject>(WORKLOADS.StatefulSet, REF);
    assert.ok(found);
    return found as KubeObject & { readonly spec: { readonly template: KubeObject } & Record<string, unknown> };
  }

  /** As its controller does it, from the last pod to the partition. */
  async function replacePods(world: SimulatedWorld, partition: number): Promise<void> {
    const set = live(world);
    const stamp = set.spec.template.metadata.annotations?.[POD_ANNOTATIONS.rotated];
    const updated = [0, 1, 2].filter((ordinal) => ordinal >= partition);
    for (const ordinal of updated) putPod(world, ordinal, stamp);
    const status = { observedGeneration: set.metadata.generation, replicas: 3, updatedReplicas: updated.length, availableReplicas: 3 };
    const spec = { ...set.spec, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition } } };
    world.cluster.put(WORKLOADS.StatefulSet, { ...set, spec, status } as KubeObject);
    // The version of the spec that was just written.
    const { generation } = live(world).metadata;
    world.cluster.put(WORKLOADS.StatefulSet, { ...live(world), status: { ...status, observedGeneration: generation } } as KubeObject);
    await restarts.pass(MINUTE);
  }

  const stampOf = (world: SimulatedWorld): string | undefined => live(world).spec.template.metadata.annotations?.[POD_ANNOTATIONS.rotated];

  test("over all pods keeps it from being restarted, and Rotated from being true", async () => {
    const world = await rotatedWith(3);
    assert.equal(stampOf(world), undefined);
    assert.match(restarts.events(TEAM, "db").join(), /^Partitioned: /);
    restarts.report(TEAM, "web", { replicas: 1, updatedReplicas: 1, availableReplicas: 1 });
    await restarts.pass(MINUTE);
    assert.match(restarts.rotated(TEAM), /^False Partitioned: StatefulSet db keeps pods with older versions below its partition/);
  });

  test("over some of them leaves the restart open for these, and holds up no other", async () => {
    const world = await rotatedWith(2);
    assert.notEqual(stampOf(world), undefined);
    assert.equal(restarts.stamp(TEAM, "web"), undefined, "restarted beside it");
    await replacePods(world, 2);
    assert.match(restarts.events(TEAM, "db").join(), /Partitioned: /);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined);
    restarts.report(TEAM, "web", { replicas: 1, updatedReplicas: 1, availableReplicas: 1 });
    await restarts.pass(MINUTE);
    assert.match(restarts.rotated(TEAM), /^False Partitioned: StatefulSet db keeps pods with older versions below its partition/);
    await replacePods(world, 0);
    assert.match(restarts.rotated(TEAM), /^True Rotated/);
  });
});

describe("R18-25: a status that is not taken", () => {
  for (const [code, status] of [
    ["Unavailable", 500],
    ["Forbidden", 403],
  ] as const) {
    test(`keeps no other class of its namespace from its own word (${code}), nor the look from its next`, async () => {
      const { world } = await leading({ mostAtATime: 2 });
      world.vaults.set("other");
      world.apply({ namespace: TEAM, name: "other", objects: ["other"] });
      restarts.deploy(TEAM, "zoo");
      const live = restarts.live(TEAM, "zoo") as KubeObject & { readonly spec: { readonly template: KubeObject } };
      const pod = { containers: [{ name: "zoo", envFrom: [{ secretRef: { name: "other-other" } }] }] };
      world.cluster.put(WORKLOADS.Deployment, {
        ...live,
        spec: { ...live.spec, template: { ...live.spec.template, spec: pod } },
      } as KubeObject);
      restarts.report(TEAM, "zoo", { replicas: 1, updatedReplicas: 1, availableReplicas: 1 });
      await restarts.pass(MINUTE);
      const rotated = (): string | undefined => {
        const found = world.status({ namespace: TEAM, name: "other" })?.conditions.find(({ type }) => type === "Rotated");
        return found && `${found.status} ${found.reason}`;
      };
      assert.equal(rotated(), "True Rotated");
      let refused = 0;
      world.cluster.fault = ({ verb, resource, ref }) => {
        if (verb !== "apply" || resource.plural !== RESOURCES.secretProviderClassSyncs.plural || ref.name !== "app") return undefined;
        refused += 1;
        return refusal(code, status);
      };
      world.vaults.set("other");
      world.apply({ namespace: TEAM, name: "other", objects: ["other"], annotations: { [`${PREFIX}/refresh`]: "now" } });
      await restarts.rotate(TEAM);
      await restarts.pass(MINUTE);
      assert.equal(rotated(), "False Restarting");
      await restarts.pass(15 * MINUTE);
      assert.ok(refused > 0, "every status was taken");
      assert.equal(rotated(), "False RolloutFailed");
    });
  }
});
