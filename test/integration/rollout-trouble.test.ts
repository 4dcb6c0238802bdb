import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type PodReadiness, startPodReadiness } from "../support/cluster/pod-readiness.ts";
import { type RolloutSteps, rolloutSteps } from "../support/cluster/rollout-steps.ts";
import { createWorkload, isReady, liveWorkload, restartStampOf, type WorkloadFacts } from "../support/cluster/workloads.ts";
import { eventually } from "../support/time/eventually.ts";
import { nextSecond } from "../support/time/wall-clock.ts";
import { eventsOf, type SyncWorld, startSyncWorld } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

/** Maximum time for which a test watches a crash loop, in milliseconds. */
const LOOP_MS = 60_000;

/**
 * The worker treats a container that is up for half of this time as running. On a busy machine, a container needs seconds from its start to
 * its crash.
 */
const ROLLOUT_TIMEOUT_SECONDS = 20;
const MOST_UP_MS = 2_000;

let world: SyncWorld;
let pods: PodReadiness;
let steps: RolloutSteps;

/** Whether the condition becomes true in a time that is ample for immediate events. */
async function comesTrue(attempt: () => Promise<boolean>, within = 20_000): Promise<boolean> {
  return eventually(attempt, { within }).catch(() => false);
}

async function availablePods(facts: WorkloadFacts): Promise<number> {
  const { status } = await liveWorkload(world.plane, facts);
  return Number(status?.["availableReplicas"] ?? status?.["numberAvailable"] ?? 0);
}

const hasEvent = async (facts: WorkloadFacts, reason: string): Promise<boolean> =>
  (await eventsOf(world.plane, facts)).some((event) => event.reason === reason);

/**
 * Simulates a crash loop: the containers start, are ready immediately because they have no probe, and end a moment later, again and again.
 */
async function crashLoop(facts: WorkloadFacts, until: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LOOP_MS;
  while (performance.now() < end && !(await until())) {
    const isUp = async (): Promise<boolean> => (await isReady(world.plane, facts)) && (await availablePods(facts)) > 0;
    await eventually(isUp, { within: MOST_UP_MS }).catch(() => undefined);
    await pods.crash(facts.name);
    await eventually(async () => (await availablePods(facts)) === 0, { what: `${facts.name} down` });
    await pods.comeUp(facts.name);
  }
}

describe("workloads in trouble", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    pods = startPodReadiness(world.plane);
    steps = rolloutSteps(world);
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h", `--rollout-timeout=${ROLLOUT_TIMEOUT_SECONDS}s`] });
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node" } };
    await world.plane.kubectl(["create", "-f", "-"], JSON.stringify(node));
  });
  after(async () => {
    await pods?.stop();
    await world?.stop();
  });

  test("U2: hold up nobody if they were broken before the rotation, at the first one and at the next", async () => {
    const db = await steps.mirrored();
    const broken = { name: "aaa-broken", namespace: db.namespace, envFrom: ["db"] };
    pods.hold(broken.name);
    await createWorkload(world.plane, broken);
    const web = await steps.running({ name: "web", envFrom: ["db"] }, db);
    for (const each of [broken, web]) await steps.recorded(each);

    for (const rotation of ["the first", "the next"]) {
      const before = await restartStampOf(world.plane, web);
      await nextSecond();
      await steps.rotate(db);

      assert.ok(await comesTrue(async () => (await restartStampOf(world.plane, web)) !== before), `${rotation} rotation restarts web`);
      await steps.restarted(broken);
      await steps.reported(web, "Rotated");
    }
    assert.ok(!(await hasEvent(broken, "RolloutFailed")), "what never ran says nothing about the new value");
  });

  for (const kind of ["Deployment", "StatefulSet", "DaemonSet"] as const) {
    test(`U3: are not rotated in a crash loop without a readiness probe: it fails, and those who wait for it are told (${kind})`, async () => {
      const db = await steps.mirrored();
      const spec = kind === "Deployment" ? { progressDeadlineSeconds: ROLLOUT_TIMEOUT_SECONDS - 1 } : {};
      const crashing = await steps.running({ kind, name: `a-crashing-${kind.toLowerCase()}`, envFrom: ["db"], spec }, db);
      const next = await steps.running({ name: "b-next", envFrom: ["db"] }, db);
      for (const each of [crashing, next]) await steps.recorded(each);
      await nextSecond();
      await steps.rotate(db);
      await steps.restarted(crashing);

      await crashLoop(crashing, async () => (await steps.isRestarted(next)) || hasEvent(crashing, "RolloutFailed"));

      assert.ok(!(await steps.isRestarted(next)), "nothing else is restarted meanwhile");
      assert.ok(await hasEvent(crashing, "RolloutFailed"));
      assert.match(await steps.rotatedIs(db, "RolloutFailed"), new RegExp(`${kind} ${crashing.name}: `));
      assert.match(await steps.reported(next, "Waiting"), new RegExp(`${kind} ${crashing.name}`));

      assert.ok(await comesTrue(() => steps.isRestarted(next), LOOP_MS), "once it stays up the others go on");
      await steps.reported(crashing, "Rotated");
    });
  }
});
