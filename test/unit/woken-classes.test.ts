/** Classes that failed, and what the worker waits for to query the vault again. The simulated worker runs on a cluster in memory. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { Restarts } from "../support/simulation/restarts.ts";
import { classOf, INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const APP = { namespace: "team", name: "app" };

/** Applies the class with workload identity. Without `account`, its pods determine the ServiceAccount. */
function applyClass({ cluster }: SimulatedWorld, { account, hasSecrets }: { readonly account?: string; readonly hasSecrets: boolean }) {
  const { metadata, spec, ...rest } = classOf({ ...APP, objects: ["db"] });
  const { useVMManagedIdentity: _, userAssignedIdentityID: __, ...parameters } = spec?.parameters ?? {};
  const { secretObjects, ...mounted } = spec ?? {};
  const annotations = account === undefined ? {} : { [CLASS_ANNOTATIONS.serviceAccount]: account };
  const object = {
    ...rest,
    metadata: { ...metadata, annotations },
    spec: { ...mounted, parameters: { ...parameters, clientID: "app" }, ...(hasSecrets ? { secretObjects } : {}) },
  };
  cluster.put(RESOURCES.secretProviderClasses, object);
}

function grant({ cluster }: SimulatedWorld, ...accounts: readonly string[]): void {
  const annotations = accounts.length === 0 ? {} : { [GRANT_ANNOTATIONS.serviceAccounts]: accounts.join(",") };
  cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "team", annotations } });
}

function pod({ cluster }: SimulatedWorld, name: string, account = "app"): void {
  const volumes = [{ name: "v", csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "app" } } }];
  const spec = { serviceAccountName: account, volumes };
  const made = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "team", name }, spec, status: { phase: "Running" } };
  cluster.put(RESOURCES.pods, made);
}

function endPod({ cluster }: SimulatedWorld, name: string): void {
  cluster.delete(RESOURCES.pods, { namespace: "team", name });
}

/** Waits until the class has failed for a while, and its next attempt and poll are more than ten seconds away. */
async function betweenAttempts({ clock, vaults }: SimulatedWorld, condition: () => string): Promise<void> {
  await clock.advance(10 * INTERVAL);
  assert.equal(condition(), "False IdentityUnavailable");
  vaults.taken();
}

const asked = async ({ clock, vaults }: SimulatedWorld): Promise<readonly string[]> => {
  await clock.advance(1_000);
  return vaults.taken();
};

describe("a class that was refused", () => {
  for (const [what, hasSecrets] of [
    ["with Secrets", true],
    ["that is only mounted", false],
  ] as const)
    test(`RC2: ${what} is retried when its Namespace grants the ServiceAccount`, async (t) => {
      const restarts = new Restarts();
      const { world } = restarts;
      grant(world);
      world.vaults.set("db");
      applyClass(world, { account: "app", hasSecrets });
      restarts.deploy("team", "web", { template: { inject: "true", "secret-provider-class": "app" } });
      await restarts.lead();
      t.after(() => restarts.stop());
      await betweenAttempts(world, () => world.condition(APP, "Synced"));

      grant(world, "app");

      assert.notDeepEqual(await asked(world), []);
    });
});

describe("a class whose pods determine its ServiceAccount", () => {
  async function refused(t: TestContext, prepare: (world: SimulatedWorld) => void = () => undefined): Promise<SimulatedWorld> {
    const world = new SimulatedWorld();
    grant(world, "app", "other");
    world.vaults.set("db");
    applyClass(world, { hasSecrets: true });
    prepare(world);
    const leader = world.lead();
    t.after(() => leader.stop());
    await betweenAttempts(world, () => world.condition(APP, "Synced"));
    return world;
  }

  test("RC4: is retried when its first pod appears", async (t) => {
    const world = await refused(t);

    pod(world, "web-1");

    assert.ok((await asked(world)).includes("app: get db"));
    assert.equal(world.value({ namespace: "team", name: "app-db" }), "db@v1");
  });

  test("RC4: is retried when only one ServiceAccount is left", async (t) => {
    const world = await refused(t, (before) => {
      pod(before, "old", "other");
      pod(before, "new-1");
      pod(before, "new-2");
    });

    endPod(world, "new-2");
    assert.deepEqual(await asked(world), [], "the control: the set of accounts is the same");
    endPod(world, "old");

    assert.ok((await asked(world)).includes("app: get db"));
  });

  test("RC4: control: a class without a failure is not queried for a second ServiceAccount", async (t) => {
    const world = await refused(t);
    pod(world, "web-1");
    assert.ok((await asked(world)).includes("app: get db"));

    pod(world, "web-2", "other");

    assert.deepEqual(await asked(world), []);
  });
});
