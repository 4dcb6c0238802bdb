/** `Ready` before the worker has reconciled an edited class: the condition never describes the class before the edit. */
import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { conditionOf } from "../../src/domain/sync/class-status.ts";
import { readCrds } from "../../src/sync/healing/crd-files.ts";
import { answerAfter } from "../support/simulation/silent-vaults.ts";
import { INTERVAL, type Leader, type LeadOptions, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
const CRD = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const SWITCHED_OFF = { [CLASS_ANNOTATIONS.sync]: "never" };

async function syncedWorld(options: LeadOptions = {}) {
  const world = new SimulatedWorld();
  world.vaults.set("db", "other", "third");
  await world.clock.advance(600_000);
  world.apply({ ...CLASS, objects: ["db"] });
  const leader = world.lead(options);
  await world.clock.advance(1_000);
  assert.equal(world.condition(CLASS, "Ready"), "True Synced");
  return { world, leader, reported: followed(world) };
}

/** Records the values of `Ready` from now on, without repetitions, each with the class generation in the status. */
function followed(world: SimulatedWorld): string[] {
  const reported: string[] = [];
  const saidNow = (): string => `${world.condition(CLASS, "Ready")} about ${world.status(CLASS)?.observedClassGeneration}`;
  let last = saidNow();
  const onChange = (): void => {
    const said = saidNow();
    if (said !== last && !said.startsWith("none")) reported.push(said);
    last = said;
  };
  const resource = RESOURCES.secretProviderClassSyncs;
  world.cluster.watcher.reflect({ resource, project: (object) => object, onChange }, new AbortController().signal);
  return reported;
}

function putCrd(world: SimulatedWorld, isWhole: boolean): void {
  const shipped = readCrds(path.resolve(import.meta.dirname, "../../manifests/crds")).find(({ metadata }) => metadata.name === CRD);
  const text = JSON.stringify({ ...shipped, status: { conditions: [{ type: "Established", status: "True" }] } });
  const crd = JSON.parse(isWhole ? text : text.replaceAll('"secretObjects":', '"cutOff":')) as KubeObject; // The shipped definition has this form.
  world.cluster.put(RESOURCES.customResourceDefinitions, crd);
}

/** Stops the leader, and lets all pending vault requests end. */
async function end(world: SimulatedWorld, leader: Leader): Promise<void> {
  const stopped = leader.stop();
  await world.clock.advance(60_000);
  await stopped;
}

const statusWrites = (world: SimulatedWorld): number =>
  world.cluster.writes.filter(({ resource }) => resource.plural === RESOURCES.secretProviderClassSyncs.plural).length;

describe("a class whose definition is whole again", () => {
  test("R-20: is not called ready where it was edited meanwhile, until somebody has looked at it", async () => {
    const { world, leader, reported } = await syncedWorld();
    putCrd(world, false);
    await world.clock.advance(15_000);
    world.apply({ ...CLASS, objects: ["other"] });
    await world.clock.advance(15_000);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Frozen");
    reported.splice(0);
    answerAfter(world, 60_000);

    putCrd(world, true);
    await world.clock.advance(20_000);
    assert.deepEqual(reported, ["Unknown Progressing about 1"]);
    assert.equal(world.condition(CLASS, "Synced"), "True Synced");

    world.vaults.signIn = undefined;
    await world.clock.advance(INTERVAL);
    assert.equal(reported.at(-1), "True Synced about 2");
    assert.ok(!reported.includes("True Synced about 1"), reported.join());
    await end(world, leader);
  });

  test("R-20: is what it was, by one write and without a question to the vault, where it is as it was", async () => {
    const { world, leader, reported } = await syncedWorld();
    putCrd(world, false);
    await world.clock.advance(15_000);
    world.apply({ ...CLASS, objects: ["db"], annotations: { note: "wakes the class" } });
    await world.clock.advance(15_000);
    reported.splice(0);
    const before = statusWrites(world);
    answerAfter(world, 60_000);

    putCrd(world, true);
    await world.clock.advance(5_000);

    assert.deepEqual(reported, ["True Synced about 1"]);
    assert.equal(statusWrites(world) - before, 1);
    await end(world, leader);
  });

  test("R-20: is still being looked at where it was before", async () => {
    const { world, leader, reported } = await syncedWorld();
    answerAfter(world, 20_000);
    world.apply({ ...CLASS, objects: ["other"] });
    await world.clock.advance(1_000);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");
    putCrd(world, false);
    await world.clock.advance(60_000);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Frozen");
    reported.splice(0);

    putCrd(world, true);
    await world.clock.advance(60_000);

    assert.ok(!reported.some((said) => said.startsWith("True")), reported.join());
    await end(world, leader);
  });

  test("R-20: is switched off all the while where it was, and nothing is written", async () => {
    const { world, leader, reported } = await syncedWorld();
    world.apply({ ...CLASS, objects: ["db"], annotations: SWITCHED_OFF });
    await world.clock.advance(2_000);
    assert.equal(reported.at(-1), "Unknown SwitchedOff about 1");
    const before = statusWrites(world);
    putCrd(world, false);
    await world.clock.advance(15_000);
    world.apply({ ...CLASS, objects: ["db"], annotations: { ...SWITCHED_OFF, note: "wakes the class" } });
    await world.clock.advance(15_000);

    putCrd(world, true);
    await world.clock.advance(10_000);

    assert.equal(world.condition(CLASS, "Ready"), "Unknown SwitchedOff");
    assert.equal(world.condition(CLASS, "Stalled"), "none");
    assert.equal(statusWrites(world) - before, 0);
    await end(world, leader);
  });
});

describe("a class that was deleted and made anew while its vault says nothing", () => {
  for (const [what, objects] of [
    ["another spec", ["other"]],
    ["one Secret more", ["db", "other"]],
  ] as const) {
    test(`R-21: is not called ready by the status of the class before: with ${what}`, async () => {
      const { world, leader, reported } = await syncedWorld();
      answerAfter(world, 60_000);
      world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
      world.apply({ ...CLASS, objects: [...objects] });

      await world.clock.advance(1_000);
      assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");
      assert.match(conditionOf(world.status(CLASS), "Ready")?.message ?? "", /^the class is being reconciled; the rest of this status/);

      world.vaults.signIn = undefined;
      await world.clock.advance(INTERVAL);
      assert.equal(reported.at(-1), "True Synced about 1");
      assert.equal(world.value({ namespace: "team", name: "app-other" }), "other@v2");
      await end(world, leader);
    });
  }

  test("R-21: keeps the status of the class before where it is the same in all that counts", async () => {
    const { world, leader, reported } = await syncedWorld();
    answerAfter(world, 60_000);
    const before = statusWrites(world);
    world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    world.apply({ ...CLASS, objects: ["db"], annotations: { note: "made anew" } });
    await world.clock.advance(10_000);
    assert.deepEqual([reported.length, statusWrites(world) - before], [0, 0]);
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    await end(world, leader);
  });
});

describe("an edit that nobody looks at", () => {
  /** Advances until a poll of the class has begun. The poll waits for its sign-in. */
  async function whilePolled(world: SimulatedWorld, afterMs: number): Promise<void> {
    const poll = { hasBegun: false };
    const error = new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
    world.vaults.signIn = () => {
      poll.hasBegun = true;
      return { error, afterMs };
    };
    for (let waited = 0; !poll.hasBegun && waited < 2 * INTERVAL; waited += 500) await world.clock.advance(500);
    assert.ok(poll.hasBegun, "a poll began");
  }

  test("R-22: takes Ready back after half a second, while the look before it waits for its vault", async () => {
    const { world, leader } = await syncedWorld();
    await whilePolled(world, 60_000);
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    world.apply({ ...CLASS, objects: ["other"] });

    await world.clock.advance(400);
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    await world.clock.advance(200);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");
    await end(world, leader);
  });

  test("R-22: is not answered by the look before it, however that ends", async () => {
    const { world, leader, reported } = await syncedWorld();
    await whilePolled(world, 10_000);
    world.apply({ ...CLASS, objects: ["other"] });
    // The sign-in retry of the poll gets an answer, so that the older reconcile ends. The next sign-in takes long.
    await world.clock.advance(5_000);
    answerAfter(world, 60_000);
    await world.clock.advance(30_000);

    assert.deepEqual(reported, ["Unknown Progressing about 1"]);
    assert.equal(world.condition(CLASS, "Synced"), "False Unreachable");
    assert.equal(world.condition(CLASS, "Stalled"), "none");
    await end(world, leader);
  });

  test("R-22: takes Ready back after half a second where all workers of the vault are taken", async () => {
    const { world, leader } = await syncedWorld();
    answerAfter(world, 60_000);
    for (let index = 0; index < 8; index += 1) world.apply({ namespace: "team", name: `hangs-${index}`, objects: ["db"] });
    await world.clock.advance(1_000);
    world.apply({ ...CLASS, objects: ["other"] });

    await world.clock.advance(600);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");

    world.vaults.signIn = undefined;
    await world.clock.advance(INTERVAL);
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    assert.equal(world.status(CLASS)?.observedClassGeneration, 2);
    await end(world, leader);
  });

  test("R-22: is one write where its answer comes within half a second, also behind another edit", async () => {
    const { world, leader } = await syncedWorld();
    const before = statusWrites(world);
    for (const objects of [["other"], ["third"], ["db", "other"]]) {
      world.apply({ ...CLASS, objects });
      await world.clock.advance(450);
    }
    await world.clock.advance(1_000);
    assert.equal(world.status(CLASS)?.observedClassGeneration, 4);
    assert.equal(statusWrites(world) - before, 3);
    await end(world, leader);
  });

  test("R-22: of a namespace whose statuses cannot be written waits, and another namespace's does not", async () => {
    const { world, leader } = await syncedWorld();
    const other = { namespace: "victim", name: "app" };
    world.apply({ ...other, objects: ["db"] });
    await world.clock.advance(1_000);
    world.cluster.latency = ({ verb, ref }) => (verb === "apply" && ref.namespace === CLASS.namespace ? 30_000 : 0);
    answerAfter(world, 60_000);
    world.apply({ ...CLASS, objects: ["other"] });
    world.apply({ ...other, objects: ["other"] });

    await world.clock.advance(1_000);

    assert.equal(world.condition(other, "Ready"), "Unknown Progressing");
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    await end(world, leader);
  });
});

test("R-22: an edit while nobody led is taken back by the next leader, whose vault says nothing", async () => {
  const { world, leader } = await syncedWorld();
  await end(world, leader);
  world.apply({ ...CLASS, objects: ["other"] });
  answerAfter(world, 60_000);
  const next = world.lead();
  await world.clock.advance(1_500);
  assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");
  await end(world, next);
});

describe("a class that waits for a pod", () => {
  const WAITS = { [CLASS_ANNOTATIONS.sync]: "while-used" };

  async function unusedWorld() {
    const world = new SimulatedWorld();
    world.vaults.set("db");
    await world.clock.advance(600_000);
    world.apply({ ...CLASS, objects: ["db"], annotations: WAITS });
    const leader = world.lead();
    await world.clock.advance(1_000);
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    assert.equal(world.status(CLASS)?.desiredSecrets, 0);
    return { world, leader, reported: followed(world) };
  }

  test("R-22: is not called ready for the pod that comes while its vault says nothing", async () => {
    const { world, leader } = await unusedWorld();
    answerAfter(world, 60_000);
    const csi = { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: CLASS.name } };
    const metadata = { namespace: CLASS.namespace, name: "first" };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { volumes: [{ name: "secrets", csi }] } };
    world.cluster.put(RESOURCES.pods, pod);

    await world.clock.advance(600);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");

    world.vaults.signIn = undefined;
    await world.clock.advance(INTERVAL);
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    assert.equal(world.value({ namespace: "team", name: "app-db" }), "db@v1");
    await end(world, leader);
  });

  test("R-20: is what it was once its definition is whole again, by one write", async () => {
    const { world, leader, reported } = await unusedWorld();
    putCrd(world, false);
    await world.clock.advance(15_000);
    world.apply({ ...CLASS, objects: ["db"], annotations: { ...WAITS, note: "wakes the class" } });
    await world.clock.advance(15_000);
    assert.deepEqual(reported.splice(0), ["Unknown Frozen about 1"]);
    const before = statusWrites(world);

    putCrd(world, true);
    await world.clock.advance(10_000);

    assert.deepEqual(reported, ["True Synced about 1"]);
    assert.equal(statusWrites(world) - before, 1);
    await end(world, leader);
  });
});
