import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { RequestRecord } from "../../tools/key-vault-emulator/network/request-log.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  assertNothingForbidden,
  classOf,
  createClass,
  dataOf,
  mirroredSecrets,
  opaque,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
  writesOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

const CLASSES = 20;
const PER_CLASS = 5;
const INTERVAL_MS = 10_000;
const SYNC = { args: ["--log-level=debug"] };

let world: SyncWorld;
let namespace: string;
let objects: readonly string[];

const isList = ({ path }: RequestRecord): boolean => /^\/secrets\/?$/.test(path);

async function lastSequence(): Promise<number> {
  return (await world.emulator.requests()).at(-1)?.sequence ?? 0;
}

/** Returns the requests of the vault since this index, without authentication challenges. */
async function transactions(since: number): Promise<readonly RequestRecord[]> {
  const host = `${world.vault}.vault.azure.net`;
  return (await world.emulator.requests({ after: since })).filter((one) => one.host === host && one.status !== 401);
}

/** Number of polls since this index, possibly fractional: each poll lists pages of 25 objects, four pages at a time. */
async function polls(since: number): Promise<number> {
  return (await transactions(since)).filter(isList).length / ((CLASSES * PER_CLASS) / 25);
}

/**
 * Waits until there are only lists for a whole interval: by then the worker has confirmed the objects that changed right before it fetched
 * them.
 */
async function atRest(): Promise<void> {
  await eventually(
    async () => {
      const since = await lastSequence();
      await eventually(async () => (await polls(since)) >= 2, { within: 40_000, what: "two polls" });
      return (await transactions(since)).every(isList);
    },
    { within: 120_000, every: 10, what: "polls without a GET" },
  );
}

describe("the polls of the sync worker", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["list"] });
    namespace = await world.namespace();
    objects = await Promise.all(Array.from({ length: CLASSES * PER_CLASS }, (_, index) => world.object(`value-${index}`)));
    for (let index = 0; index < CLASSES; index += 1) {
      const names = objects.slice(index * PER_CLASS, (index + 1) * PER_CLASS);
      const annotations = { [CLASS_ANNOTATIONS.rotationPollInterval]: `${INTERVAL_MS / 1_000}s` };
      const secretObjects = names.map((name) => opaque(name, name));
      await createClass(world.plane, classOf(world, { namespace, name: `class-${index}`, objects: names, secretObjects, annotations }));
    }
    await world.product.start("sync", SYNC);
    await eventually(async () => (await mirroredSecrets(world.plane, namespace)).length === objects.length, { what: "all Secrets" });
  });
  after(async () => {
    await world?.stop();
  });

  test("cost one list an interval for all classes, write nothing, and read the credentials once for many", async () => {
    await atRest();
    const [since, start, from] = [await lastSequence(), new Date().toISOString(), performance.now()];

    await eventually(async () => (await polls(since)) >= 3, { within: 60_000, what: "three polls" });

    const seen = await transactions(since);
    const intervals = (performance.now() - from) / INTERVAL_MS;
    assert.ok(seen.every(isList), seen.map(({ path }) => path).join());
    assert.ok((await polls(since)) <= intervals + 1, `${await polls(since)} lists in ${intervals} intervals`);
    const audit = world.plane.audit().filter(({ time }) => time >= start);
    assert.deepEqual(
      writesOf(audit).map(({ verb, uri }) => `${verb} ${uri}`),
      [],
    );
    const reads = audit.filter(({ verb, uri }) => verb === "get" && uri.includes("/secrets/secrets-store-creds")).length;
    assert.ok(reads <= 2 * intervals + 2, `${reads} reads of credentials for ${CLASSES} classes in ${intervals} intervals`);
    console.log(`sync polls: ${seen.length} transactions and 0 writes in ${intervals.toFixed(1)} intervals of ${objects.length} objects`);
  });

  test("bring a changed object into its Secret within an interval, by one GET", async () => {
    const object = objects[42] ?? "";
    const since = await lastSequence();
    const from = Date.now();
    await world.emulator.rotateSecret({ vault: world.vault, name: object, value: "rotated" });

    await eventually(async () => (await dataOf(world.plane, namespace, object))?.["value"] === "rotated", {
      within: INTERVAL_MS + 5_000,
      what: "the new value",
    });

    const gets = (await transactions(since)).filter((one) => !isList(one)).map(({ path }) => path);
    assert.equal(new Set(gets).size, 1, gets.join());
    console.log(`sync polls: a changed object was in its Secret after ${Date.now() - from} ms`);
  });

  test("do not keep a deleted Secret waiting, which costs the one GET that it needs", async () => {
    const object = objects[7] ?? "";
    const since = await lastSequence();

    await send(world.plane, { method: "DELETE", path: secretPath(namespace, object) });
    await eventually(async () => (await dataOf(world.plane, namespace, object))?.["value"] === "value-7", { what: "the Secret" });

    const gets = (await transactions(since)).map(({ path }) => path.replace(/\/$/, ""));
    const ofItsClass = objects.slice(5, 10).map((name) => `/secrets/${name}`);
    assert.deepEqual(
      gets.filter((path) => ofItsClass.includes(path)),
      [`/secrets/${object}`],
    );
  });

  test("were never refused a request", () => assertNothingForbidden("sync polls", world.plane));
});
