import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { isHeld, restartsKeepBudgets, restartsKeepHours, restartsStayFew } from "../simulation/invariants/controls.ts";
import { isLeftToItself } from "../simulation/invariants/old-pods.ts";
import { REST_MS } from "../simulation/invariants/rest.ts";
import { controlsIn, isOpen, windowText } from "../simulation/world/controls.ts";
import { ROTATED, type SimulatedWorkload } from "../simulation/world/workloads.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

const TEAM = "team";
const WINDOW = { minute: 10, minutes: 20 };
const INSIDE = { "keyvault-injector.dev/restart-window": windowText(WINDOW) };
const PAUSED = { "keyvault-injector.dev/restart-paused": "true" };

describe("the simulation's invariants of when workloads are restarted", () => {
  let staged: StagedWorld;
  let found: string[];

  function workloadOf(name: string, annotations: Readonly<Record<string, string>>): SimulatedWorkload {
    const stamps = { templateStamp: undefined, podsStamp: undefined };
    const whole = { namespace: TEAM, name, uid: name, pods: [], secrets: [], mounts: [], asks: true, isComplete: true, completeSince: 0 };
    return { ...whole, ...stamps, controls: controlsIn(annotations) };
  }

  function put(name: string, own: Readonly<Record<string, string>>, stamp?: string): void {
    staged.workloads.set(`${TEAM}/${name}`, workloadOf(name, own));
    const ofTemplate = stamp === undefined ? {} : { [ROTATED]: stamp };
    const metadata = { uid: name, annotations: { ...own, ...ofTemplate } };
    staged.put("deployments.apps", `${TEAM}/${name}`, { metadata, spec: { template: { metadata: { annotations: ofTemplate } } } });
  }

  /** Writes the Deployment as its owner. */
  function deploy(name: string, own: Readonly<Record<string, string>> = {}): void {
    put(name, own);
    staged.written({ resource: "deployments.apps", namespace: TEAM, name, user: "author" });
  }

  function restart(name: string, own: Readonly<Record<string, string>> = {}, stamp = "v1"): void {
    put(name, own, stamp);
    staged.written({ resource: "deployments.apps", namespace: TEAM, name });
  }

  beforeEach(() => {
    staged = new StagedWorld();
    staged.maxRollouts = 1;
    found = [];
    for (const { watch } of [restartsKeepHours, restartsStayFew, restartsKeepBudgets])
      watch?.(staged.world, (text) => void found.push(text));
  });

  test("know when a window is open", () => {
    const at = (minute: number): boolean => isOpen(WINDOW, minute * MINUTE);
    assert.deepEqual([9, 10, 29, 30, 69, 70, 89, 90].map(at), [false, true, true, false, false, true, true, false]);
  });

  test("are content with a restart within its window, and find one outside", async () => {
    deploy("api", INSIDE);
    await staged.pass(15 * MINUTE);
    restart("api", INSIDE);
    assert.deepEqual(found, []);
    deploy("web", INSIDE);
    await staged.pass(20 * MINUTE);
    restart("web", INSIDE);
    assert.deepEqual(found, ["team/web is restarted outside its window"]);
  });

  test("let a restart that is asked for open the window, and end no pause", () => {
    deploy("api", INSIDE);
    restart("api", { ...INSIDE, "keyvault-injector.dev/restart-now-answered": "1" });
    assert.deepEqual(found, []);
    deploy("web", PAUSED);
    restart("web", { ...PAUSED, "keyvault-injector.dev/restart-now-answered": "1" });
    assert.equal(found[0], "team/web is restarted while restarts of it are paused");
  });

  test("blame nobody whose clock was wrong for the hour", () => {
    staged.machine.stepClock(MINUTE);
    deploy("api", INSIDE);
    restart("api", INSIDE);
    assert.deepEqual(found, []);
  });

  test("find more restarts than the cluster allows, and none where the first has ended or waits for nobody", async () => {
    for (const name of ["api", "web", "job"]) deploy(name);
    restart("api");
    put("api", {}, "v1");
    staged.put("deployments.apps", `${TEAM}/api`, {
      metadata: { uid: "api", annotations: { [ROTATED]: "v1-2" } },
      spec: { template: { metadata: { annotations: { [ROTATED]: "v1" } } } },
    });
    staged.written({ resource: "deployments.apps", namespace: TEAM, name: "api" });
    restart("web");
    assert.deepEqual(found, []);
    restart("job");
    assert.deepEqual(found, ["team/web, team/job are restarted at once, and 1 may be"]);
    await staged.pass(10 * MINUTE);
  });

  test("know that a pod may be older than its Secret if both are of the same second", () => {
    const isLeft = (created: string): boolean => {
      staged.put("secrets", `${TEAM}/app`, { metadata: { managedFields: [{ time: "1970-01-01T00:00:05Z" }] } });
      staged.put("pods", `${TEAM}/api-1`, { metadata: { creationTimestamp: created } });
      const pod = {
        name: "api-1",
        uid: "1",
        template: "",
        readyAt: 0,
        wasReady: undefined,
        startedWith: new Map(),
        startedFiles: new Map(),
      };
      const pods = [{ ...pod, startedAt: 0, restarts: 0 }];
      staged.workloads.set(`${TEAM}/api`, { ...workloadOf("api", {}), pods, secrets: ["app"] });
      return isLeftToItself(staged.world, { namespace: TEAM, name: "api", restartedAt: 0 });
    };
    assert.deepEqual([isLeft("1970-01-01T00:00:05Z"), isLeft("1970-01-01T00:00:06Z")], [true, false]);
  });

  test("find a restart whose budget has allowed none for long enough to be seen", async () => {
    deploy("api");
    staged.exhausted.set(`${TEAM}/api`, 0);
    await staged.pass(5 * MINUTE);
    restart("api");
    assert.deepEqual(found, ["team/api is restarted although its PodDisruptionBudget has allowed no disruption"]);
  });

  test("expect nothing at rest of what is paused, or whose window has not opened meanwhile", async () => {
    const held = (annotations: Readonly<Record<string, string>>): boolean => isHeld(staged.world, workloadOf("api", annotations), REST_MS);
    await staged.pass(25 * MINUTE);
    assert.deepEqual([held({}), held(PAUSED), held(INSIDE)], [false, true, false]);
    await staged.pass(20 * MINUTE);
    assert.equal(held(INSIDE), true);
    staged.exhausted.clear();
    const web = { ...workloadOf("web", {}), isComplete: false };
    staged.workloads.set(`${TEAM}/web`, { ...web, templateStamp: "v2", podsStamp: "v2" });
    assert.equal(held({}), true, "the restart of web has failed");
    staged.workloads.set(`${TEAM}/web`, { ...web, templateStamp: "v2", podsStamp: "v1" });
    assert.equal(held({}), false, "web was not ready before its restart, so that none waits for it");
    staged.exhausted.set(`${TEAM}/api`, 0);
    assert.equal(held({}), true);
  });
});
