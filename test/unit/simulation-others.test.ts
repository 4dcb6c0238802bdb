import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { copiesAreCurrent, enforcedStays, secondDoesNothing } from "../simulation/invariants/others.ts";
import { CONFIGURATIONS, ENFORCER } from "../simulation/world/enforcer.ts";
import { SECOND_USER } from "../simulation/world/world.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";

describe("the simulation's invariant of the webhook's copies", () => {
  let staged: StagedWorld;

  /** Sets the class as the API server has it, and as the webhook's copy has it. Undefined: the class does not exist there. */
  function provider(live: string | undefined, copy: string | undefined): void {
    const of = (key: string) => ({
      metadata: { namespace: "team", name: "app" },
      spec: { secretObjects: [{ secretName: "db", data: [{ key }] }] },
    });
    if (live === undefined) staged.remove(CLASSES, "team/app");
    else staged.put(CLASSES, "team/app", of(live));
    staged.written({ resource: CLASSES, namespace: "team", name: "app" });
    staged.copies.classes = copy === undefined ? new Map() : new Map([["team/app", of(copy)]]);
  }

  beforeEach(() => {
    staged = new StagedWorld();
    copiesAreCurrent.watch?.(staged.world, assert.fail);
    staged.put("namespaces", "team", { metadata: { name: "team", annotations: { "keyvault-injector.dev/mount-path": "/a" } } });
    staged.copies.namespaces.set("team", { metadata: { name: "team", annotations: { "keyvault-injector.dev/mount-path": "/a" } } });
  });

  test("is content where both are the same, there or gone", () => {
    provider("key", "key");
    assert.deepEqual(copiesAreCurrent.atRest?.(staged.world), []);
    provider(undefined, undefined);
    assert.deepEqual(copiesAreCurrent.atRest?.(staged.world), []);
  });

  test("finds a class that the copy lacks, has still, or has as it was", () => {
    provider("key", undefined);
    assert.deepEqual(copiesAreCurrent.atRest?.(staged.world), ["the webhook lacks the class team/app"]);
    provider(undefined, "key");
    assert.deepEqual(copiesAreCurrent.atRest?.(staged.world), ["the webhook still has the class team/app, which is gone"]);
    provider("new", "old");
    assert.deepEqual(copiesAreCurrent.atRest?.(staged.world), [
      'the webhook has team/app with [["db",["old"]]], which is [["db",["new"]]]',
    ]);
  });

  test("finds a Namespace whose defaults are older", () => {
    staged.put("namespaces", "team", { metadata: { name: "team", annotations: { "keyvault-injector.dev/mount-path": "/b" } } });
    const [found = ""] = copiesAreCurrent.atRest?.(staged.world) ?? [];
    assert.match(found, /^the webhook has the Namespace team with .*\/a.*, which is .*\/b/);
  });
});

describe("the simulation's invariant of what a platform adds", () => {
  const term = (key: string) => ({ key, operator: "DoesNotExist" });
  const configuration = (...keys: readonly string[]) => ({
    metadata: { name: "keyvault-injector" },
    webhooks: [{ name: "pods", namespaceSelector: { matchExpressions: keys.map(term) } }],
  });

  test("finds what the worker took away, and what is added again and again", async () => {
    const staged = new StagedWorld({ isEnforced: true });
    enforcedStays.watch?.(staged.world, assert.fail);
    staged.put(CONFIGURATIONS, "keyvault-injector", configuration("control-plane", "kubernetes.azure.com/managedby"));
    await staged.pass(60 * MINUTE);
    assert.deepEqual(enforcedStays.atRest?.(staged.world), []);
    staged.put(CONFIGURATIONS, "keyvault-injector", configuration("control-plane"));
    assert.deepEqual(enforcedStays.atRest?.(staged.world), ["the webhook pods lacks what the platform adds"]);
    staged.put(CONFIGURATIONS, "keyvault-injector", configuration("control-plane", "kubernetes.azure.com/managedby"));
    staged.written({ resource: CONFIGURATIONS, name: "keyvault-injector", user: ENFORCER });
    assert.deepEqual(enforcedStays.atRest?.(staged.world), ["the platform still adds what the worker takes away"]);
  });
});

describe("the simulation's invariant of a second install", () => {
  test("finds whatever its worker writes", () => {
    const staged = new StagedWorld();
    const found: string[] = [];
    secondDoesNothing.watch?.(staged.world, (text) => void found.push(text));
    staged.written({ namespace: "team", name: "db" });
    assert.deepEqual(found, []);
    staged.written({ namespace: "team", name: "db", user: SECOND_USER, isDryRun: true });
    assert.deepEqual(found, []);
    staged.written({ namespace: "team", name: "db", user: SECOND_USER });
    assert.deepEqual(found, ["the second install's apply of secrets team/db"]);
  });
});
