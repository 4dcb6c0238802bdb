import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, describe, test } from "node:test";
import { filesComeFirst, mountsAreCurrent } from "../simulation/invariants/mounted.ts";
import type { WantedClass } from "../simulation/world/classes.ts";
import { controlsIn } from "../simulation/world/controls.ts";
import type { Team } from "../simulation/world/team.ts";
import { ROTATED, type SimulatedPod, type SimulatedWorkload } from "../simulation/world/workloads.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

const TEAM = "team";

function stampFor(version: string): string {
  return createHash("sha256").update(`secret/db@${version}`).digest("hex").slice(0, 16);
}

function files(version: string): ReadonlyMap<string, string> {
  return new Map([["secret/db", version]]);
}

describe("the simulation's invariants of what is only mounted", () => {
  let staged: StagedWorld;
  let team: Team;
  let found: string[];

  function podOf(started: string, more: Partial<SimulatedPod> = {}): SimulatedPod {
    const startedFiles = new Map([["mounted", files(started)]]);
    const state = { readyAt: 0, wasReady: undefined, startedWith: new Map<string, string>(), startedFiles, startedAt: 0, restarts: 0 };
    return { name: "pod-1", uid: "pod-1", template: "", ...state, ...more };
  }

  function workload(templateStamp: string | undefined, pods: readonly SimulatedPod[]): void {
    const whole: SimulatedWorkload = {
      namespace: TEAM,
      name: "api",
      uid: "api",
      pods,
      secrets: [],
      mounts: ["mounted"],
      asks: true,
      controls: controlsIn(),
      templateStamp,
      podsStamp: templateStamp,
      isComplete: true,
      completeSince: 0,
    };
    staged.workloads.set(`${TEAM}/api`, whole);
  }

  function rotate(version: string): void {
    const object = team.vault.objects.get("db");
    object?.versions.push({ version, value: version, since: staged.scheduler.now, isDisabled: false });
  }

  /** Restarts the workload for the version, as the worker does. */
  function restart(version: string): void {
    const stamp = stampFor(version);
    workload(stamp, [podOf("1")]);
    staged.put("deployments.apps", `${TEAM}/api`, { spec: { template: { metadata: { annotations: { [ROTATED]: stamp } } } } });
    staged.written({ resource: "deployments.apps", namespace: TEAM, name: "api" });
  }

  function record(version: string): void {
    staged.records.set("pod-1", [...(staged.records.get("pod-1") ?? []), { at: staged.scheduler.now, files: files(version) }]);
  }

  beforeEach(async () => {
    staged = new StagedWorld();
    team = staged.team(TEAM);
    const [mirrored] = team.classes.values();
    if (mirrored !== undefined) team.mounted.set("mounted", { ...mirrored, name: "mounted", secrets: [] } satisfies WantedClass);
    found = [];
    filesComeFirst.watch?.(staged.world, (text) => void found.push(text));
    record("1");
    await staged.pass(5 * MINUTE);
    rotate("2");
    await staged.pass(MINUTE);
  });

  test("are content with a restart after the files have changed", async () => {
    record("2");
    await staged.pass(MINUTE);
    restart("2");
    assert.deepEqual(found, []);
  });

  test("find one before, and only within the time of grace", async () => {
    restart("2");
    assert.deepEqual(found, ["team/api is restarted before the files of pod-1 have the version"]);
    await staged.pass(15 * MINUTE);
    rotate("3");
    await staged.pass(10 * MINUTE);
    restart("3");
    assert.equal(found.length, 1);
  });

  test("blame nobody whose clock was wrong", () => {
    staged.machine.stepClock(MINUTE);
    restart("2");
    assert.deepEqual(found, []);
  });

  test("find pods at rest that were started with an old version, and none where the vault gives nothing", () => {
    workload(undefined, [podOf("2"), podOf("2")]);
    assert.deepEqual(mountsAreCurrent.atRest?.(staged.world), []);
    workload(undefined, [podOf("2"), podOf("1")]);
    assert.deepEqual(mountsAreCurrent.atRest?.(staged.world), [
      "pod-1 of team/api was started before the latest version of what it mounts",
    ]);
    const object = team.vault.objects.get("db");
    if (object !== undefined) object.state = "disabled";
    assert.deepEqual(mountsAreCurrent.atRest?.(staged.world), []);
  });
});
