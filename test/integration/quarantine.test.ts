import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { ClassStatus } from "../../src/domain/sync/status-fields.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  askNow,
  assertNothingForbidden,
  classOf,
  createClass,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const BOMB = "a value that ends the process";
const planted = pathToFileURL(path.resolve(import.meta.dirname, "./planted-bomb.ts")).href;
/** The lease of a dead leader has to run out first. */
const TAKEOVER_MS = 40_000;
const MOST_STARTS = 6;

let world: SyncWorld;

const start = (): Promise<ProductProcess> =>
  world.product.start("sync", { args: ["--rotation-poll-interval=24h"], environment: { NODE_OPTIONS: `--import=${planted}` } });

async function givenClass(name: string, value: string): Promise<Place & { readonly object: string }> {
  const namespace = await world.namespace();
  const object = await world.object(value);
  await createClass(world.plane, classOf(world, { namespace, name, objects: [object], secretObjects: [opaque(name, object)] }));
  return { namespace, name, object };
}

const syncedOf = (status: ClassStatus | undefined) => status?.conditions.find(({ type }) => type === "Synced");

describe("a class that ends the worker", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let bomb: Place & { readonly object: string };
  const others: Place[] = [];
  let worker: ProductProcess;
  let deaths = 0;

  before(async () => {
    world = await startSyncWorld();
    bomb = await givenClass("bomb", BOMB);
    for (const name of ["one", "two", "three"]) others.push(await givenClass(name, name));
    for (let starts = 0; starts < MOST_STARTS; starts += 1) {
      worker = await start();
      const reported = eventually(async () => syncedOf(await statusOf(world.plane, bomb.namespace, bomb.name)), {
        within: TAKEOVER_MS,
        every: 200,
      });
      const end = await Promise.race([worker.exited.then(() => "died" as const), reported.then(() => "lives" as const)]);
      if (end === "lives") return;
      deaths += 1;
      reported.catch(() => undefined);
    }
  });
  after(async () => {
    await world?.stop();
  });

  test("S2: ends three workers, and the fourth lives", () => {
    assert.equal(worker.endedBy(), undefined, `${deaths} workers have ended`);
    assert.equal(deaths, 3);
  });

  test("S2: is left alone, and says so in its status", async () => {
    const synced = syncedOf(await statusOf(world.plane, bomb.namespace, bomb.name));
    assert.equal(synced?.reason, "InvalidClass");
    assert.match(synced?.message ?? "", /^the class is not synced: 3 workers crashed while handling it\. The next attempt is at /);
  });

  test("S2: keeps no other class waiting", async () => {
    // All of them may have been under way each time that the worker ended.
    for (const other of others) await reasonIs(world.plane, other, "Synced");
  });

  test("is tried again when its author asks for it", async () => {
    await world.emulator.setSecret({ vault: world.vault, name: bomb.object, value: "harmless" });

    await askNow(world.plane, bomb);

    await reasonIs(world.plane, bomb, "Synced");
  });

  test("was never refused a request", () => {
    assertNothingForbidden("quarantine", world.plane);
  });
});
