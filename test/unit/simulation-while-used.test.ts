import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { whileUsed } from "../simulation/invariants/while-used.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";

describe("the simulation's invariant that while-used takes nothing from a live pod", () => {
  let staged: StagedWorld;
  let found: string[];

  function pod(name: string, phase: string | undefined): void {
    const volumes = [{ csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "app" } } }];
    if (phase === undefined) staged.remove("pods", `team/${name}`);
    else staged.put("pods", `team/${name}`, { metadata: { name, namespace: "team" }, spec: { volumes }, status: { phase } });
    staged.written({ resource: "pods", namespace: "team", name, user: "author" });
  }

  function provider(sync: string): void {
    const metadata = { name: "app", namespace: "team", annotations: { "keyvault-injector.dev/sync": sync } };
    staged.put(CLASSES, "team/app", { metadata, spec: { secretObjects: [{ secretName: "db" }] } });
    staged.written({ resource: CLASSES, namespace: "team", name: "app", user: "author" });
  }

  /** Deletes the Secret as the worker does: it lists the pods, then deletes. */
  async function remove(between: () => void = () => undefined): Promise<readonly string[]> {
    staged.sent({ path: "/api/v1/namespaces/team/pods?fieldSelector=x" });
    await staged.pass(10);
    between();
    staged.sent({ method: "DELETE", path: "/api/v1/namespaces/team/secrets/db" });
    await staged.pass(10);
    staged.written({ verb: "delete", namespace: "team", name: "db" });
    return found;
  }

  beforeEach(async () => {
    staged = new StagedWorld();
    found = [];
    whileUsed.watch?.(staged.world, (text) => void found.push(text));
    provider("while-used");
    await staged.pass(10 * MINUTE);
  });

  test("finds a Secret that is deleted under a pod", async () => {
    pod("one", "Running");
    await staged.pass(MINUTE);
    assert.deepEqual(await remove(), ["team/db of app is deleted while one mount it"]);
  });

  test("finds one that is deleted without a look at the pods, or long after it", async () => {
    staged.sent({ path: "/api/v1/namespaces/team/pods?fieldSelector=x" });
    await staged.pass(2 * MINUTE);
    pod("one", "Running");
    await staged.pass(1);
    staged.sent({ method: "DELETE", path: "/api/v1/namespaces/team/secrets/db" });
    staged.written({ verb: "delete", namespace: "team", name: "db" });
    assert.deepEqual(found, ["team/db of app is deleted while one mount it"]);
  });

  test("finds one that is deleted within the grace", async () => {
    pod("one", "Running");
    await staged.pass(MINUTE);
    pod("one", undefined);
    await staged.pass(2 * MINUTE);
    assert.deepEqual(await remove(), ["team/db of app is deleted 120 s after a pod has mounted it, within the grace"]);
  });

  // Seed 47 of the small world: the pods were listed for a restart 60 seconds before the deletion.
  test("counts the grace to the deletion, and not to an earlier list of the pods", async () => {
    pod("one", "Running");
    await staged.pass(MINUTE);
    pod("one", undefined);
    await staged.pass(2 * MINUTE);
    staged.sent({ path: "/api/v1/namespaces/team/pods?labelSelector=x" });
    await staged.pass(50_000);
    assert.deepEqual(await remove(), []);
  });

  test("is content after the grace, with pods that have ended, and with one that came after the look", async () => {
    pod("one", "Running");
    pod("two", "Running");
    await staged.pass(MINUTE);
    pod("one", "Succeeded");
    pod("two", undefined);
    await staged.pass(5 * MINUTE);
    assert.deepEqual(await remove(() => pod("late", "Pending")), []);
  });

  test("asks nothing of a class that says something else, or did a moment ago", async () => {
    pod("one", "Running");
    provider("never");
    await staged.pass(10 * MINUTE);
    assert.deepEqual(await remove(), []);
    provider("while-used");
    assert.deepEqual(await remove(), []);
  });
});
