import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { restartsReach, restartsTakeTurns } from "../simulation/invariants/rollouts.ts";
import { controlsIn } from "../simulation/world/controls.ts";
import { RESTART_ON_ROTATION, ROTATED, type SimulatedPod, type SimulatedWorkload } from "../simulation/world/workloads.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

const TEAM = "team";

function pod(more: Partial<SimulatedPod> = {}): SimulatedPod {
  return {
    name: "pod",
    uid: "pod",
    template: "",
    readyAt: 0,
    wasReady: undefined,
    startedWith: new Map(),
    startedFiles: new Map(),
    startedAt: 0,
    restarts: 0,
    ...more,
  };
}

describe("the simulation's invariants of restarts", () => {
  let staged: StagedWorld;
  let found: string[];

  function workload(name: string, more: Partial<SimulatedWorkload> = {}): void {
    const whole = {
      namespace: TEAM,
      name,
      uid: name,
      pods: [pod()],
      secrets: ["db"],
      mounts: [],
      controls: controlsIn(),
      asks: true,
      isComplete: true,
      completeSince: 0,
    };
    staged.workloads.set(`${TEAM}/${name}`, { ...whole, templateStamp: undefined, podsStamp: undefined, ...more });
  }

  /** Writes the Deployment as the worker, or as `user`. */
  function write(
    name: string,
    { template, pods, image = "app:1", user }: Partial<Record<"template" | "pods" | "image" | "user", string>>,
  ): void {
    const annotations = { [RESTART_ON_ROTATION]: "true", ...(template === undefined ? {} : { [ROTATED]: template }) };
    const metadata = { uid: name, annotations: pods === undefined ? {} : { [ROTATED]: pods } };
    staged.put("deployments.apps", `${TEAM}/${name}`, {
      metadata,
      spec: { template: { metadata: { annotations }, spec: { containers: [{ name: "app", image }] } } },
    });
    staged.written({ resource: "deployments.apps", namespace: TEAM, name, ...(user === undefined ? {} : { user }) });
  }

  beforeEach(() => {
    staged = new StagedWorld();
    found = [];
    staged.secret(TEAM, "db", {});
    restartsTakeTurns.watch?.(staged.world, (text) => void found.push(text));
    for (const name of ["api", "web"]) {
      workload(name);
      write(name, { user: "author" });
    }
  });

  test("are content with one restart after the other", async () => {
    write("api", { template: "v1", pods: "v1" });
    await staged.pass(MINUTE);
    write("api", { template: "v1", pods: "v1-2" });
    write("web", { template: "v1", pods: "v1" });
    assert.deepEqual(found, []);
  });

  test("find two at a time", async () => {
    write("api", { template: "v1", pods: "v1" });
    workload("api", { isComplete: false, completeSince: undefined });
    await staged.pass(MINUTE);
    write("web", { template: "v1", pods: "v1" });
    assert.deepEqual(found, ["team/web is restarted before the restart of team/api is done"]);
  });

  test("let nobody wait for one whose pods have proven themselves, recorded or not", async () => {
    write("api", { template: "v1", pods: "v1" });
    await staged.pass(4_000);
    write("web", { template: "v1", pods: "v1" });
    assert.equal(found.length, 1);
    await staged.pass(MINUTE);
    write("web", { template: "v1", pods: "v1-2" });
    write("web", { template: "v2", pods: "v2" });
    assert.equal(found.filter((text) => text.includes("before the restart")).length, 1);
  });

  test("let nobody wait for one whose versions have changed since, once all its pods are there", async () => {
    const value = (version: number): string => Buffer.from(`vault-of-team/db/${version}`).toString("base64");
    const startedWith = new Map([["db/key-db", Buffer.from(value(1)).toString("base64")]]);
    staged.secret(TEAM, "db", { "key-db": value(2) });
    write("api", { template: "v1", pods: "v1" });
    workload("api", { pods: [pod({ startedWith })], isComplete: false });
    write("web", { template: "v1", pods: "v1" });
    assert.deepEqual(found, ["team/web is restarted before the restart of team/api is done"]);
    workload("web", { isComplete: false });
    write("web", { template: "v1", pods: "v1-2" });
    workload("api", { pods: [pod({ startedWith })] });
    write("web", { template: "v2", pods: "v2" });
    assert.equal(found.filter((text) => text.includes("before the restart")).length, 1);
  });

  test("let nobody wait for one that uses a Secret which is missing", () => {
    write("api", { template: "v1", pods: "v1" });
    staged.remove("secrets", `${TEAM}/db`);
    write("web", { template: "v1", pods: "v1" });
    assert.deepEqual(found, []);
  });

  test("find one that is called done before its pods are steady", async () => {
    write("api", { template: "v1", pods: "v1" });
    await staged.pass(MINUTE);
    workload("api", { pods: [pod(), pod({ readyAt: staged.scheduler.now - 3_000 })] });
    write("api", { template: "v1", pods: "v1-2" });
    assert.deepEqual(found, ["the restart of team/api is called done too early"]);
  });

  test("find two for one version, also where another stamp stands for it", async () => {
    write("api", { template: "v1", pods: "v1" });
    await staged.pass(MINUTE);
    write("api", { template: "v1", pods: "v1-2" });
    write("api", { template: "v1-2", pods: "v1-2" });
    assert.deepEqual(found, ["team/api is restarted twice for v1"]);
  });

  test("are content with a second one for the same version where somebody took the first back", async () => {
    write("api", { template: "v1", pods: "v1" });
    await staged.pass(MINUTE);
    write("api", { pods: "v1", user: "author" });
    write("api", { template: "v1", pods: "v1" });
    assert.deepEqual(found, []);
  });

  test("find one that does not wait for its turn although it was ready", async () => {
    await staged.pass(5 * MINUTE);
    write("api", { template: "v1", pods: "v1-2" });
    assert.deepEqual(found, ["team/api is restarted out of turn, as if it had not been ready"]);
  });

  test("find a write that changes more than the stamp", () => {
    write("api", { template: "v1", pods: "v1", image: "app:2" });
    assert.deepEqual(found, ["the worker changes more of team/api than its stamp"]);
  });

  test("find pods that still have an older version, and only where all that they use is there", () => {
    const value = (version: number): string => Buffer.from(`vault-of-team/db/${version}`).toString("base64");
    const startedWith = new Map([["db/key-db", Buffer.from(value(1)).toString("base64")]]);
    workload("api", { pods: [pod({ startedWith })] });
    staged.secret(TEAM, "db", { "key-db": value(1) });
    assert.deepEqual(restartsReach.atRest?.(staged.world), []);
    staged.secret(TEAM, "db", { "key-db": value(2) });
    assert.deepEqual(restartsReach.atRest?.(staged.world), [
      "pod of team/api was started with vault-of-team/db/1; db/key-db is vault-of-team/db/2 now",
    ]);
    workload("api", { pods: [pod({ startedWith })], secrets: ["db", "missing"] });
    assert.deepEqual(restartsReach.atRest?.(staged.world), []);
    workload("web", { isComplete: false });
    assert.deepEqual(restartsReach.atRest?.(staged.world), ["team/web is not rolled out"]);
  });
});
