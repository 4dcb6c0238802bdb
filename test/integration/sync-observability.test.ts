/** What the worker tells of itself: metrics that move with what happens and end with what they are about, and events once per change. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { type Samples, samplesOf } from "../support/worker/metric-samples.ts";
import {
  askNow,
  assertNothingForbidden,
  classOf,
  classPath,
  createClass,
  eventsOf,
  mergePatch,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
/** The shortest that is allowed: what is overdue after two of them is so within a test. */
const SYNC = { args: ["--rotation-poll-interval=10s"] };
const SLOWLY = { within: 90_000, every: 250 };

let world: SyncWorld;
let worker: ProductProcess;

const samples = async (): Promise<Samples> => samplesOf(await worker.metrics());
const hostOf = (vault: string): string => `${vault}.vault.azure.net`;

function metricsWhere(what: string, holds: (now: Samples) => boolean): Promise<Samples> {
  return eventually(
    async () => {
      const now = await samples();
      return holds(now) && now;
    },
    { ...SLOWLY, what },
  );
}

/** A class of one Secret, `app`. */
async function givenClass(object: string, parameters: Readonly<Record<string, string>> = {}): Promise<Place> {
  const place = { namespace: await world.namespace(), name: "demo" };
  await createClass(world.plane, classOf(world, { ...place, objects: [object], secretObjects: [opaque("app", object)], parameters }));
  return place;
}

async function removeClass({ namespace, name }: Place): Promise<void> {
  await send(world.plane, { method: "DELETE", path: classPath(namespace, name) });
}

describe("the worker's metrics and events", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", SYNC);
  });
  after(async () => {
    await world?.stop();
  });

  test("tell of classes, Secrets, checks, the queue and the vault by operation", async () => {
    const object = await world.object("value");
    await reasonIs(world.plane, await givenClass(object), "Synced");

    const now = await metricsWhere(
      "a synced class",
      (seen) => seen.value("classes", { reason: "Synced" }) === 1 && (seen.value("sync_duration_seconds_count") ?? 0) >= 1,
    );

    const vault = { vault: hostOf(world.vault) };
    assert.equal(now.value("leader"), 1);
    assert.equal(now.value("secrets_managed"), 1);
    assert.equal(now.value("classes", { reason: "Conflict" }), 0);
    assert.equal(now.value("classes_overdue"), 0);
    assert.deepEqual(now.labels("class_seconds_since_success"), []);
    assert.ok((now.value("check_age_max_seconds") ?? 99) <= 20);
    assert.ok((now.value("queue_wait_seconds_count") ?? 0) >= 1 && (now.value("queue_runs_total", { outcome: "requeueAfter" }) ?? 0) >= 1);
    assert.ok((now.value("vault_transactions_total", { ...vault, operation: "get" }) ?? 0) >= 1);
    assert.equal(now.value("vault_transactions_total", { ...vault, operation: "versions" }), 0);
    assert.deepEqual(
      [now.value("vault_rate", vault), now.value("vault_breaker_open", vault), now.value("vault_throttled_total", vault)],
      [300, 0, 0],
    );
    assert.equal(now.value("events_dropped_total"), 0);
  });

  test("count a repair by its damage, and what it took of the vault", async () => {
    const place = await givenClass(await world.object("value"));
    await reasonIs(world.plane, place, "Synced");
    const before_ = await samples();

    await mergePatch(world.plane, secretPath(place.namespace, "app"), { data: { value: "ZWRpdGVk" } });

    const after_ = await metricsWhere(
      "the repair",
      (seen) =>
        (seen.value("drift_repairs_total", { damage: "edited" }) ?? 0) > (before_.value("drift_repairs_total", { damage: "edited" }) ?? 0),
    );
    assert.ok((after_.value("vault_transactions_total") ?? 0) > (before_.value("vault_transactions_total") ?? 0));
  });

  test("tell a failure that lasts over several polls once, its end once, and of the class that is overdue while it lasts", async () => {
    const object = `absent-${randomBytes(4).toString("hex")}`;
    const place = await givenClass(object);
    await reasonIs(world.plane, place, "ObjectNotFound");
    const polled = (seen: Samples): number => seen.value("sync_total", { reason: "ObjectNotFound" }) ?? 0;

    const overdue = await metricsWhere(
      "an overdue class after several polls",
      (seen) => polled(seen) >= 3 && seen.labels("class_seconds_since_success").length > 0,
    );

    assert.deepEqual(
      overdue.labels("class_seconds_since_success").map((labels) => `${labels["namespace"]}/${labels["class"]}`),
      [`${place.namespace}/${place.name}`],
    );
    assert.ok((overdue.value("class_seconds_since_success") ?? 0) >= 20);
    assert.deepEqual([overdue.value("classes_overdue"), overdue.value("classes", { reason: "ObjectNotFound" })], [1, 1]);
    const failed = await eventsOf(world.plane, place);
    assert.deepEqual(
      failed.map(({ reason, type }) => `${type} ${reason}`),
      ["Warning ObjectNotFound"],
    );
    assert.equal(failed[0]?.count, 1);

    await world.emulator.setSecret({ vault: world.vault, name: object, value: "here" });
    await askNow(world.plane, place);
    await reasonIs(world.plane, place, "Synced");
    await askNow(world.plane, place);
    await metricsWhere(
      "nothing overdue",
      (seen) => seen.value("classes_overdue") === 0 && seen.labels("class_seconds_since_success").length === 0,
    );
    const reported = await eventually(
      async () => {
        const events = await eventsOf(world.plane, place);
        return events.length >= 2 && events;
      },
      { what: "the event of the recovery" },
    );
    assert.deepEqual(reported.map(({ reason }) => reason).sort(), ["ObjectNotFound", "Synced"]);
    assert.deepEqual(
      reported.map((event) => event.count),
      [1, 1],
    );
  });

  test("count answers 429 and the lower rate, and say when a vault is left alone because it does not answer", async () => {
    const [busy, silent] = [await givenVault(), await givenVault()];
    await world.emulator.setBudget({ vault: busy.vault, transactions: 1, perSeconds: 60, retryAfterSeconds: 1 });
    await world.emulator.injectFault({ vault: silent.vault, times: 1_000, kind: "reset" });
    const throttled = await givenClass(busy.object, { keyvaultName: busy.vault });
    const unreachable = await givenClass(silent.object, { keyvaultName: silent.vault });
    await askNow(world.plane, throttled);
    await askNow(world.plane, unreachable);

    const now = await metricsWhere(
      "a throttling vault and an open breaker",
      (seen) =>
        (seen.value("vault_throttled_total", { vault: hostOf(busy.vault) }) ?? 0) > 0 &&
        seen.value("vault_breaker_open", { vault: hostOf(silent.vault) }) === 1,
    );

    assert.ok((now.value("vault_rate", { vault: hostOf(busy.vault) }) ?? 300) < 300);
    assert.equal(now.value("vault_breaker_open", { vault: hostOf(busy.vault) }), 0);
    await world.emulator.clearFaults();
    await world.emulator.clearBudget({ vault: busy.vault });
    await removeClass(throttled);
    await removeClass(unreachable);
  });

  test("end with the class, and those of a vault with the last class that names it", async () => {
    const { vault, object } = await givenVault();
    await world.emulator.setAttributes({ vault, name: object, expires: Math.floor(Date.now() / 1_000) + 864_000 });
    const [first, second] = [await givenClass(object, { keyvaultName: vault }), await givenClass(object, { keyvaultName: vault })];
    for (const place of [first, second]) await reasonIs(world.plane, place, "Synced");
    const ofVault = (seen: Samples): number =>
      ["transactions_total", "throttled_total", "breaker_open", "rate"]
        .flatMap((name) => seen.labels(`vault_${name}`))
        .filter((labels) => labels["vault"] === hostOf(vault)).length;
    const ofClass = (seen: Samples, { namespace }: Place): number =>
      seen.labels("object_expiry_seconds").filter((labels) => labels["namespace"] === namespace).length;
    const managed = (await samples()).value("secrets_managed") ?? 0;
    const both = await metricsWhere("the series of both", (seen) => ofClass(seen, first) === 1 && ofClass(seen, second) === 1);
    assert.equal(ofVault(both), 6);

    await removeClass(first);
    const one = await metricsWhere(
      "the end of the first",
      (seen) => ofClass(seen, first) === 0 && seen.value("secrets_managed") === managed - 1,
    );
    assert.deepEqual([ofVault(one), ofClass(one, second)], [6, 1]);

    await removeClass(second);
    const none = await metricsWhere("the end of the vault's series", (seen) => ofVault(seen) === 0);
    assert.ok(none.labels("vault_rate").some((labels) => labels["vault"] === hostOf(world.vault)));
    await metricsWhere("the end of the second", (seen) => ofClass(seen, second) === 0 && seen.value("secrets_managed") === managed - 2);
  });

  test("were told without a refused request", () => assertNothingForbidden("observability", world.plane));
});

/** Another vault with one object, which the same principal may read. */
async function givenVault(): Promise<{ readonly vault: string; readonly object: string }> {
  const vault = `vault-${randomBytes(4).toString("hex")}`;
  await world.emulator.createVault({ name: vault, tenantId: world.tenantId });
  await world.emulator.grant({ vault, appId: world.principal.appId, permissions: ["get"] });
  await world.emulator.setSecret({ vault, name: "only", value: "value" });
  return { vault, object: "only" };
}
