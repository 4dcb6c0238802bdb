import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import "../simulation/time/install.ts";
import "../simulation/network/install.ts";
import { at, listAt, MANIFESTS, readManifests } from "../support/cluster/shipped-manifests.ts";

const { GUARDRAILS } = await import("../../src/sync/guardrails.ts");
const { SHIPPED_POLICIES } = await import("../simulation/api/policies.ts");
const { writeClass } = await import("../simulation/world/authors.ts");
const { startWorld, SYNC_USER } = await import("../simulation/world/world.ts");
const { USUAL } = await import("../simulation/world/sizes.ts");
type World = Awaited<ReturnType<typeof startWorld>>;

const SYNCS = "secretproviderclasssyncs.keyvault-injector.dev";
const POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const LOOK_MS = 20_000;

describe("the policies of the simulated cluster", () => {
  let world: World;
  before(async () => {
    world = await startWorld(1, { size: { ...USUAL, teams: 1, classes: 1, solitary: 0, objects: 2, replicas: 1 } });
    // Without a pod that mounts the class, only a class with `sync: always` has the condition that reports whether the guardrails are in
    // force.
    for (const team of world.teams)
      for (const wanted of team.classes.values()) writeClass(world.cluster, team, { ...wanted, sync: "always" });
    await world.scheduler.runUntil(5 * 60_000);
  });
  after(() => world?.end());

  /** Returns a condition of the only class. */
  const condition = (type: string): unknown => {
    const [sync] = world.cluster.server.objects(SYNCS);
    return listAt(sync, "status", "conditions").find((one) => at(one, "type") === type);
  };

  test("are those of manifests/policies that refuse what they forbid, but for the one about pods that opted in", () => {
    const refusing = readdirSync(path.join(MANIFESTS, "policies"))
      .flatMap((file) => readManifests(path.join("policies", file)))
      .filter((manifest) => manifest.kind.endsWith("Binding") && listAt(manifest, "spec", "validationActions").includes("Deny"))
      .map(({ metadata }) => metadata.name);
    assert.ok(refusing.length > 10);

    assert.deepEqual([...SHIPPED_POLICIES.map(({ name }) => name), "keyvault-injector-pod-volume"].sort(), refusing.sort());
  });

  // The worker reports `Guarded` for a class if it notices a missing policy. The tests below check that.
  test("stop all that the worker tries to do against them", () => {
    assert.equal(at(condition("Synced"), "status"), "True", JSON.stringify(condition("Synced")));
    assert.equal(condition("Guarded"), undefined);
  });

  test("are asked after the rights that the install grants the worker", () => {
    const { cluster, teams } = world;
    const get = (name: string): number =>
      cluster.request("GET", `/api/v1/namespaces/${teams[0]?.namespace}/secrets/${name}`, undefined, { user: SYNC_USER }).status;

    assert.deepEqual([get("secrets-store-creds"), get("another")], [200, 403]);
  });

  // The worker checks the policies about Gateways and Ingresses only if it has rights to these resources, and here it has none.
  for (const policy of GUARDRAILS.filter((name) => !name.includes("gateway"))) {
    test(`without ${policy} the worker names it, until it is there again`, async () => {
      const { cluster, scheduler } = world;
      const live = cluster.request("GET", `${POLICIES}/${policy}`).body;
      cluster.request("DELETE", `${POLICIES}/${policy}`);
      await scheduler.runUntil(scheduler.now + LOOK_MS);
      await touched(world);

      assert.equal(at(condition("Guarded"), "status"), "False");
      assert.match(String(at(condition("Guarded"), "message")), new RegExp(`able to do what ${policy} should prevent`));

      const { name, labels } = live["metadata"] as { readonly name: string; readonly labels: unknown }; // The manifest was applied in this form.
      cluster.request("POST", POLICIES, { ...live, metadata: { name, labels } });
      await scheduler.runUntil(scheduler.now + LOOK_MS);
      await touched(world);

      assert.equal(at(condition("Guarded"), "status"), "True", JSON.stringify(condition("Guarded")));
    });
  }
});

/** Changes the class as its author, so that the worker reconciles it and writes its status. */
async function touched({ cluster, scheduler, teams }: World): Promise<void> {
  const [team] = teams;
  const [name] = team?.classes.keys() ?? [];
  const where = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${team?.namespace}/secretproviderclasses/${name}`;
  const metadata = { annotations: { "keyvault-injector.dev/refresh": String(scheduler.now) } };
  cluster.request("PATCH", where, { metadata }, { contentType: "application/merge-patch+json", user: "author" });
  await scheduler.runUntil(scheduler.now + LOOK_MS);
}
