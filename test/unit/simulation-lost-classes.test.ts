import "../simulation/time/install.ts";
import "../simulation/network/install.ts";
import assert from "node:assert/strict";
import { describe, test } from "node:test";

const { VERSION } = await import("../../tools/repository-files.ts");
const { listAt, objectAt, stringAt } = await import("../simulation/api/json.ts");
const { CLASS_CRD, deleteDefinition } = await import("../simulation/faults/cluster.ts");
const { MINUTE } = await import("../simulation/faults/fault.ts");
const { EPOCH } = await import("../simulation/time/context.ts");
const { classesStay } = await import("../simulation/invariants/secrets.ts");
const { applyLostClasses } = await import("../simulation/users/lost-classes.ts");
const { releaseManifests } = await import("../simulation/world/cluster.ts");
const { startWorld } = await import("../simulation/world/world.ts");

import type { World } from "../simulation/world/world.ts";

const SIZE = {
  teams: 1,
  classes: 2,
  solitary: 0,
  mounted: 0,
  objects: 3,
  listers: 1,
  oddities: 0,
  eventQueues: 0,
  shards: 0,
  hasOwnPace: true,
};
const ROLES = "clusterroles.rbac.authorization.k8s.io";

interface Ending {
  /** Classes that their authors have, but the API server does not have. */
  readonly missing: readonly string[];
  readonly appliedAgain: number;
  /** Names of the classes with an event that reports their restoration. */
  readonly reported: readonly string[];
}

/** Stores copies of the classes that were signed so many milliseconds after the API server created them, by a clock that is ahead. */
function storeCopies({ scheduler, cluster, teams }: World, aheadMs: number): void {
  for (const { namespace, classes } of teams)
    for (const name of classes.keys()) {
      const live = cluster.server.object("secretproviderclasses.secrets-store.csi.x-k8s.io", name, namespace);
      assert.ok(live);
      const { uid, annotations = {} } = objectAt(live, "metadata");
      const signature = `v2:${Math.floor(EPOCH + scheduler.now) + aheadMs}:${"0".repeat(64)}`;
      const of = { "keyvault-injector.dev/class": name, "keyvault-injector.dev/signature": signature };
      const path = `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`;
      const metadata = { name: `copy-${name}`, annotations: of };
      const data = { uid, annotations, spec: live["spec"] };
      const body = { apiVersion: "apps/v1", kind: "ControllerRevision", metadata, revision: 1, data };
      assert.equal(cluster.request("POST", path, body).status, 201);
    }
}

/** Deletes the CRD after this number of minutes, and restores it 30 seconds later. */
async function lose(replicas: number, minutes: number, prepare: (world: World) => void = () => undefined): Promise<Ending> {
  const world = await startWorld(1, { size: { ...SIZE, replicas } });
  const { scheduler, cluster } = world;
  prepare(world);
  applyLostClasses(world);
  await scheduler.runUntil(scheduler.now + minutes * MINUTE);
  deleteDefinition(cluster, CLASS_CRD);
  await scheduler.runUntil(scheduler.now + 0.5 * MINUTE);
  cluster.apply(releaseManifests("crds.yaml", VERSION));
  await scheduler.runUntil(scheduler.now + 10 * MINUTE);
  const missing = classesStay.atRest?.(world) ?? [];
  const reported = cluster.server
    .objects("events")
    .filter((event) => stringAt(event, "reason") === "ClassRestored")
    .map((event) => stringAt(objectAt(event, "involvedObject"), "name") ?? "");
  world.end();
  return {
    missing,
    appliedAgain: world.reported.filter(({ text }) => text.includes("is applied again")).length,
    reported: reported.sort(),
  };
}

/** Removes the permission for copies of classes from every role. */
function forbidCopies({ cluster }: World): void {
  for (const role of cluster.server.objects(ROLES)) {
    const rules = listAt(role, "rules");
    const left = rules.filter((rule) => !JSON.stringify(rule).includes("controllerrevisions"));
    if (left.length === rules.length) continue;
    const where = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${stringAt(objectAt(role, "metadata"), "name") ?? ""}`;
    assert.equal(cluster.request("PUT", where, { ...role, rules: left }).status, 200);
  }
}

describe("classes that go with their CRD in a simulated world", () => {
  // Seed 20261131: a class was edited three seconds after a replica had taken over, whose lists were slow. A minute and a half later, the
  // CRD was deleted.
  test("are applied again by their authors where nobody has led since they were written", async () => {
    assert.deepEqual(await lose(0, 10), { missing: [], appliedAgain: 2, reported: [] });
  });

  // Small seed 406: a leader whose clock was 99 s ahead created a copy, and never received the answer. No leader believes such a copy.
  test("are applied again where the only copy was signed by a clock that was ahead, and nobody has led since", async () => {
    assert.equal((await lose(0, 10, (world) => storeCopies(world, 99_000))).appliedAgain, 2);
    assert.equal(
      (await lose(0, 10, (world) => storeCopies(world, 20_000))).appliedAgain,
      0,
      "the control: every leader believes this copy",
    );
  });

  test("are the worker's to restore where it has had the time to copy them, and have an event that says so", async () => {
    assert.deepEqual(await lose(1, 10), { missing: [], appliedAgain: 0, reported: ["class-0", "class-1"] });
  });

  test("stay away where the worker has had the time and made no copy: the control", async () => {
    assert.deepEqual(await lose(1, 10, forbidCopies), {
      missing: ["team-0/class-0 is missing", "team-0/class-1 is missing"],
      appliedAgain: 0,
      reported: [],
    });
  });
});
