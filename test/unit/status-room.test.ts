/**
 * Statuses as the worker holds them. A user who may write statuses in a namespace can create any number of them, each as large as an
 * object can be.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MAX_TARGETS } from "../../src/domain/grants/mirror-targets.ts";
import { type KubeObject, type ObjectRef, RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { MAX_DATA_ENTRIES, MAX_SECRET_OBJECTS } from "../../src/domain/provider-class/class-limits.ts";
import { nextStatus, withCopies } from "../../src/domain/sync/class-status.ts";
import { copyStatusOf } from "../../src/domain/sync/copies/copy-status.ts";
import { heldStatus } from "../../src/domain/sync/held-status.ts";
import type { KeyStatus, SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { storedForm } from "../../src/domain/sync/stored-status.ts";
import { type StatusStore, startStatusStore } from "../../src/sync/classes/status-store.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const STATUSES = RESOURCES.secretProviderClassSyncs;
const CLASS = { namespace: "team", name: "app" };
const TOO_MUCH = /is too large to keep/;

function keys(count: number): readonly KeyStatus[] {
  return Array.from({ length: count }, (_, index) => ({ key: `k${index}`, object: `secret/s${index}`, version: "0123456789abcdef" }));
}

function statusObject({ namespace, name }: ObjectRef, data: readonly object[], secrets = 1): KubeObject {
  const all = Array.from({ length: secrets }, (_, index) => ({ name: `s${index}`, state: "Synced", data: index === 0 ? data : [] }));
  const status = { observedClassGeneration: 1, observedGeneration: 1, conditions: [], secrets: all };
  return { apiVersion: "keyvault-injector.dev/v1alpha1", kind: STATUSES.kind, metadata: { namespace, name }, status } as KubeObject; // The kind is a status.
}

async function aStore(isOfClass: (ref: ObjectRef) => boolean = () => false) {
  const cluster = new SimulatedCluster(new ManualClock());
  const lost: string[] = [];
  const crdHealth = { state: { kind: "whole" }, confirm: async () => ({ kind: "whole" }) } as unknown as Parameters<
    typeof startStatusStore
  >[0]["crdHealth"]; // The state of the CRD never changes.
  const onLost = (key: string): void => void lost.push(key);
  const options = { kube: cluster.client, watcher: cluster.watcher, logger: recordingLogger(), crdHealth, isOfClass, onLost };
  const store = startStatusStore(options, new AbortController().signal);
  await quiet();
  return { cluster, store, lost };
}

const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function heldEntries(store: StatusStore, namespace: string): number {
  const own = store.list().filter(({ key }) => key.startsWith(`${namespace}/`));
  return own.flatMap(({ status }) => status?.secrets ?? []).reduce((sum, { data }) => sum + 1 + data.length, 0);
}

describe("what is held of statuses", () => {
  test("A-20: has at most the entries that a class can have", async () => {
    const { cluster, store } = await aStore();
    const emptyKeys = Array.from({ length: 120_000 }, () => ({ key: "" }));
    for (let index = 0; index < 5; index += 1) {
      cluster.put(STATUSES, statusObject({ namespace: "greedy", name: `keys-${index}` }, emptyKeys));
      cluster.put(STATUSES, statusObject({ namespace: "greedy", name: `secrets-${index}` }, [], 60_000));
    }
    cluster.put(STATUSES, statusObject({ namespace: "greedy", name: "modest" }, keys(100)));
    await quiet();
    assert.equal(heldEntries(store, "greedy"), 101);
  });

  test("A-20: has room for some of a namespace's large ones, for all of its small ones, and for another namespace's", async () => {
    const { cluster, store } = await aStore();
    for (let index = 0; index < 100; index += 1)
      cluster.put(STATUSES, statusObject({ namespace: "greedy", name: `s${index}` }, keys(MAX_DATA_ENTRIES)));
    for (let index = 0; index < 100; index += 1) cluster.put(STATUSES, statusObject({ namespace: "small", name: `s${index}` }, keys(20)));
    cluster.put(STATUSES, statusObject(CLASS, keys(MAX_DATA_ENTRIES)));
    await quiet();
    const held = heldEntries(store, "greedy");
    assert.ok(held >= 10 * MAX_DATA_ENTRIES && held <= 40 * MAX_DATA_ENTRIES, `${held} entries of 200,000`);
    assert.equal(heldEntries(store, "small"), 2_100);
    assert.equal(store.get(CLASS)?.secrets[0]?.data.length, MAX_DATA_ENTRIES);
  });

  test("A-20: leaves nothing behind of a status without a class, whether it was deleted or is of an older version", async () => {
    const { cluster, store, lost } = await aStore();
    const gone = { namespace: "greedy", name: "gone" };
    cluster.put(STATUSES, statusObject(gone, keys(10)));
    await quiet();
    assert.notEqual(store.get(gone), undefined);
    cluster.delete(STATUSES, gone);
    await quiet();
    assert.deepEqual([store.get(gone), store.hasUnstored(gone), lost], [undefined, false, ["greedy/gone"]]);

    const older = { namespace: "greedy", name: "older" };
    const { status, ...rest } = statusObject(older, keys(10)) as KubeObject & { readonly status: object };
    cluster.put(STATUSES, { ...rest, status: { ...status, observedClassGeneration: undefined } } as KubeObject);
    await quiet();
    assert.equal(store.hasUnstored(older), true, "the control: it is stored anew if it has a class");
    cluster.put(STATUSES, statusObject(older, keys(1)));
    await quiet();
    assert.equal(store.get(older)?.secrets[0]?.data.length, 1);
  });

  test("A-20, CW-2: is the whole status of the largest class, with copies in as many namespaces as it may name", () => {
    const time = "2026-11-27T00:00:00Z";
    const dates = { updated: time, expires: time, notBefore: time };
    const data = keys(MAX_DATA_ENTRIES / MAX_SECRET_OBJECTS).map(
      (key) => ({ ...key, ...dates, state: "Unreachable", message: "m" }) as const,
    );
    const secrets = Array.from({ length: MAX_SECRET_OBJECTS }, (_, index): SecretStatus => {
      return { name: `s${index}`, state: "Unreachable", message: "no answer", specHash: "0123456789abcdef", data };
    });
    const outcome = { generation: 1, reason: "Unreachable", message: "no answer", isFresh: false, secrets, refresh: "1" } as const;
    const guarded = { ...outcome, lastSuccess: Date.parse(time), maxStale: 1, guardrails: { problem: "one is missing" } };
    const before = secrets.map((secret) => ({ ...secret, data: secret.data.map((key) => ({ ...key, version: "before" })) }));
    const stored = nextStatus({ ...guarded, secrets: before }, undefined, Date.parse(time));
    const status = nextStatus(guarded, stored, Date.parse(time) + 10_000);
    assert.equal(status?.secrets[0]?.data[0]?.since, "2026-11-27T00:00:10Z");
    const copies = Array.from({ length: MAX_TARGETS }, (_, index) => {
      const results = secrets.map(({ name }) => ({ namespace: `n${index}`, name, state: "Failed" }) as const);
      return copyStatusOf(`n${index}`, results);
    });
    const copied = withCopies(status, copies);
    assert.ok(copied !== undefined);
    const object = { metadata: { name: "app", generation: 1 }, status: storedForm(copied) };
    const held = heldStatus({ ...statusObject(CLASS, []), ...object }, () => true);
    assert.deepEqual([held.excess, held.isCurrentForm], [undefined, true]);
    assert.deepEqual(held.status, copied);
  });
});

describe("the status of a class", () => {
  async function syncedWorld() {
    const world = new SimulatedWorld();
    world.vaults.set("db");
    await world.clock.advance(600_000);
    world.apply({ ...CLASS, objects: ["db"] });
    return world;
  }

  test("A-20: that somebody overwrote with more than the worker writes is stored again, and the vault is not asked", async () => {
    const world = await syncedWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);
    const before = world.status(CLASS);
    world.vaults.taken();

    world.cluster.put(STATUSES, statusObject(CLASS, [], 60_000));
    await world.clock.advance(1_000);

    assert.deepEqual(world.status(CLASS), before);
    assert.deepEqual(world.vaults.taken(), []);
    assert.equal(warnings(world), 1);
    await leader.stop();
  });

  test("A-20: with more than the worker writes is removed where it has no class, also under the name of a class that comes to name no Secret", async () => {
    const world = await syncedWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);
    const stray = { ...CLASS, name: "stray" };
    world.cluster.put(STATUSES, statusObject(stray, [], 60_000));
    await world.clock.advance(1_000);
    assert.equal(world.cluster.get(STATUSES, stray), undefined);

    world.cluster.fault = ({ verb, resource }) =>
      verb === "apply" && resource.plural === STATUSES.plural
        ? new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } })
        : undefined;
    world.cluster.put(STATUSES, statusObject(CLASS, [], 60_000));
    world.apply({ ...CLASS, objects: [] });
    await world.clock.advance(60_000);
    assert.equal(world.cluster.get(STATUSES, CLASS), undefined);
    await leader.stop();
  });

  test("A-20: without room in its namespace is written all the same, follows rotations, and is at rest once there is room", async () => {
    const world = new SimulatedWorld();
    const objects = Array.from({ length: 80 }, (_, index) => `s${index}`);
    world.vaults.set(...objects);
    await world.clock.advance(600_000);
    for (const [index, size] of [MAX_DATA_ENTRIES, 200, 50].entries())
      for (let each = 0; each < 40; each += 1)
        world.cluster.put(STATUSES, statusObject({ ...CLASS, name: `a${index}-${each}` }, keys(size)));
    world.apply({ ...CLASS, objects });
    const leader = world.lead();
    await world.clock.advance(60_000);
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    assert.equal(warnings(world), 1);
    world.vaults.set("s0");
    await world.clock.advance(INTERVAL + 1_000);
    assert.equal(world.value({ namespace: "team", name: "app-s0" }), "s0@v81");
    const writesOf = async (polls: number): Promise<number> => {
      const before = world.cluster.writes.length;
      await world.clock.advance(polls * INTERVAL);
      return world.cluster.writes.length - before;
    };
    assert.equal(await writesOf(3), 3, "the control: without room its status is written at each poll");

    for (let each = 0; each < 40; each += 1) world.cluster.delete(STATUSES, { ...CLASS, name: `a0-${each}` });
    await world.clock.advance(INTERVAL);

    assert.equal(await writesOf(3), 0);
    await leader.stop();
  });
});

function warnings({ logger }: SimulatedWorld): number {
  return logger.entries.filter(({ level, message }) => level === "warn" && TOO_MUCH.test(message)).length;
}
