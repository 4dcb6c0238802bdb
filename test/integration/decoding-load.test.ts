import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { heavyPkcs12 } from "../support/fixtures/heavy-pkcs12.ts";
import {
  assertNothingForbidden,
  classOf,
  createClass,
  dataOf,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
/** In place each takes some seconds, and the lease is lost after ten. */
const SECRETS = 12;
/** The worker's bound is 15 s of CPU time, of which another suite beside this one takes its part. */
const DECODING_MS = 60_000;

let world: SyncWorld;
let worker: ProductProcess;

const tls = (secretName: string, objectName: string): SecretObject => ({
  secretName,
  type: "kubernetes.io/tls",
  data: ["tls.crt", "tls.key"].map((key) => ({ objectName, key })),
});

/** A class whose value takes seconds to open, for as many Secrets. */
async function givenHeavy(name: string): Promise<Place> {
  const namespace = await world.namespace();
  const object = await world.object(Buffer.from(heavyPkcs12({ rounds: 999_999 })).toString("base64"));
  const objects = [{ objectName: object, objectType: "secret", objectEncoding: "base64" }];
  const secretObjects = Array.from({ length: SECRETS }, (_, index) => tls(`${name}-${index}`, object));
  await createClass(world.plane, classOf(world, { namespace, name, objects, secretObjects }));
  return { namespace, name };
}

describe("a class whose files take long to open", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let heavy: Place;
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
    heavy = await givenHeavy("heavy");
  });
  after(async () => {
    await world?.stop();
  });

  test("S2: has a status that says so, and the worker goes on leading", async () => {
    const reported = reasonIs(world.plane, heavy, "InvalidObject", { within: DECODING_MS }).then(
      () => "told",
      (error: unknown) => String(error),
    );
    const ended = worker.exited.then((code) => `the worker ended with code ${code}`);

    assert.equal(await Promise.race([reported, ended]), "told");
    const secrets = (await statusOf(world.plane, heavy.namespace, heavy.name))?.secrets ?? [];
    assert.equal(secrets.length, SECRETS);
    for (const { message } of secrets) assert.match(message ?? "", /err: pkcs12: decryption password incorrect/);
  });

  test("S2: keeps no other class waiting, however many of its kind there are in a namespace", async () => {
    const namespace = await world.namespace();
    await Promise.all(["one", "two", "three", "four"].map(givenHeavy));
    const object = await world.object("light");
    await createClass(
      world.plane,
      classOf(world, { namespace, name: "light", objects: [object], secretObjects: [opaque("light", object)] }),
    );

    const synced = reasonIs(world.plane, { namespace, name: "light" }, "Synced").then(
      () => "synced",
      (error: unknown) => String(error),
    );
    const ended = worker.exited.then((code) => `the worker ended with code ${code}`);

    assert.equal(await Promise.race([synced, ended]), "synced");
    assert.deepEqual(await dataOf(world.plane, namespace, "light"), { value: "light" });
  });

  test("was never refused a request", () => {
    assertNothingForbidden("decoding load", world.plane);
  });
});
