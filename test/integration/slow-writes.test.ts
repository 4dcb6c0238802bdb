import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { KubeObject, Lease } from "../../src/domain/kubernetes.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  classOf,
  createClass,
  dataOf,
  find,
  LEASE,
  mirroredSecrets,
  opaque,
  type SyncWorld,
  startSyncWorld,
} from "../support/worker/sync-world.ts";
import { startSlowWebhook } from "./slow-webhook.ts";

const refusal = controlPlaneRefusal();

/** So many Secrets that their writes take longer than a lease lasts. */
const CLASSES = 24;
const SECRETS_OF_A_CLASS = 4;
const SLOW_MS = 5_000;

describe("a worker whose writes are slow in one namespace", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let world: SyncWorld;
  let worker: ProductProcess;
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync");
  });
  after(() => world?.stop());

  /** Returns `true`, or an explanation: how the worker ended, or that it took too long. */
  function comesTrue(condition: () => Promise<boolean>): Promise<true | string> {
    const ended = worker.exited.then((code) => `the worker ended with code ${code}: ${worker.log().slice(-600)}`);
    return Promise.race([eventually(condition, { within: 90_000 }).catch((error: unknown) => String(error)), ended]);
  }

  test("C3: keeps its lease, answers its probes, and writes what other namespaces need", async (t) => {
    const { plane } = world;
    const [slow, quick, object] = [await world.namespace(), await world.namespace(), await world.object("value")];
    const webhook = await startSlowWebhook(plane, { namespace: slow, milliseconds: SLOW_MS });
    t.after(() => webhook.stop());
    const holder = async (): Promise<string> => (await find<KubeObject & Lease>(plane, LEASE))?.spec?.holderIdentity ?? "";
    await eventually(async () => (await holder()) !== "", { what: "a leader" });
    const leader = await holder();
    for (let index = 0; index < CLASSES; index++) {
      const secretObjects = Array.from({ length: SECRETS_OF_A_CLASS }, (_, each) => opaque(`secret-${index}-${each}`, object));
      await createClass(plane, classOf(world, { namespace: slow, name: `class-${index}`, objects: [object], secretObjects }));
    }
    assert.equal(await comesTrue(async () => (await mirroredSecrets(plane, slow)).length >= 16), true);

    await createClass(
      plane,
      classOf(world, { namespace: quick, name: "quick", objects: [object], secretObjects: [opaque("quick", object)] }),
    );
    assert.equal(await comesTrue(async () => (await dataOf(plane, quick, "quick")) !== undefined), true);
    const slowByThen = (await mirroredSecrets(plane, slow)).length;
    const probes = await Promise.all(["/livez", "/readyz", "/metrics"].map((path) => fetch(`${worker.healthUrl}${path}`)));

    assert.equal(await comesTrue(async () => (await mirroredSecrets(plane, slow)).length === CLASSES * SECRETS_OF_A_CLASS), true);
    assert.ok(slowByThen < CLASSES * SECRETS_OF_A_CLASS, "the other namespace had to wait for all of them");
    assert.deepEqual(
      probes.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(await holder(), leader, "the lease changed hands");
  });
});
