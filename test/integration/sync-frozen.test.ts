import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Secret } from "../../src/domain/kubernetes.ts";
import type { ClassStatus } from "../../src/domain/sync/status-fields.ts";
import { JSON_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  allStatuses,
  assertNothingForbidden,
  CLASS_CRD,
  classOf,
  createClass,
  eventsOf,
  mirroredSecrets,
  opaque,
  reasonIs,
  type SyncWorld,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const COUNT = 5;
/** Nobody heals the definition, so that the freeze lasts; nothing is polled, so that nothing but the freeze is a reason to write. */
const SYNC = { args: ["--heal=classes", "--enable-secret-rotation=false"] };
const SECRET_OBJECTS = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/secretObjects";

let world: SyncWorld;

const versionsOf = (secrets: readonly Secret[]): readonly string[] =>
  secrets.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).sort();

async function requestsToVault(): Promise<number> {
  return (await world.emulator.requests()).length;
}

function allAre(what: string, holds: (status: ClassStatus) => boolean): Promise<unknown> {
  return eventually(
    async () => {
      const statuses = await allStatuses(world.plane);
      return statuses.length === COUNT && statuses.every(({ status }) => status !== undefined && holds(status));
    },
    { within: 30_000, what },
  );
}

const syncedOf = ({ conditions }: ClassStatus) => conditions.find(({ type }) => type === "Synced");

describe("a class definition that stays damaged", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    const namespace = await world.namespace();
    const object = await world.object("of the vault");
    for (let index = 0; index < COUNT; index += 1)
      await createClass(
        world.plane,
        classOf(world, { namespace, name: `class-${index}`, objects: [object], secretObjects: [opaque(`app-${index}`, object)] }),
      );
    await world.product.start("sync", SYNC);
    for (let index = 0; index < COUNT; index += 1) await reasonIs(world.plane, { namespace, name: `class-${index}` }, "Synced");
  });
  after(async () => {
    await world?.stop();
  });

  test("is reported by every class as Frozen, and afterwards they are as before, without a write to a Secret or a look at the vault", async () => {
    const before = versionsOf(await mirroredSecrets(world.plane));
    const asked = await requestsToVault();
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CLASS_CRD}`;

    await send(world.plane, { method: "PATCH", path, body: [{ op: "remove", path: SECRET_OBJECTS }], contentType: JSON_PATCH });

    await allAre("the freeze in every status", (status) => syncedOf(status)?.reason === "Frozen");
    const frozen = (await allStatuses(world.plane)).flatMap(({ status }) => (status === undefined ? [] : [status]));
    for (const status of frozen) {
      assert.equal(syncedOf(status)?.status, "Unknown");
      assert.match(syncedOf(status)?.message ?? "", /the worker does not act on this class: the CRD .*Its Secrets remain unchanged/);
      assert.equal(status.syncedSecrets, 1);
    }

    const reported = await eventsOf(world.plane, { namespace: world.product.namespace, name: "keyvault-injector-sync" });
    const freezes = reported.filter(({ reason }) => reason === "Frozen");
    assert.equal(freezes.length, 1);
    assert.equal(freezes[0]?.count, 1);
    assert.match(freezes[0]?.message ?? "", /^the worker does not act on classes: the CRD .*\. Secrets remain unchanged$/);

    await world.plane.kubectl(["apply", "--server-side", "--force-conflicts", "-k", `${MANIFESTS}/crds`]);
    await allAre("the end of the freeze", (status) => syncedOf(status)?.reason === "Synced" && syncedOf(status)?.status === "True");
    assert.deepEqual(versionsOf(await mirroredSecrets(world.plane)), before);
    assert.equal(await requestsToVault(), asked);
  });

  test("was never refused a request", () => {
    assertNothingForbidden("frozen", world.plane);
  });
});
