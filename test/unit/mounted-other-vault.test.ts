import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { CLASS, MountedWorld } from "../support/simulation/mounted-world.ts";

const MINUTE = 60_000;

describe("a class that is only mounted, and names another vault from now on", () => {
  let mounted: MountedWorld;
  beforeEach(() => {
    mounted = new MountedWorld();
  });
  afterEach(() => mounted.stop());

  /** Lets the worker follow the class. The pod is younger than the versions of both vaults. */
  async function follow(version?: string): Promise<void> {
    await mounted.pass(MINUTE);
    mounted.name("vault-1", version);
    mounted.pod();
    await mounted.pass(10 * MINUTE);
    assert.deepEqual(mounted.says, ["v1", undefined, "True Synced", "True Synced"]);
    assert.equal(mounted.restartedFor, undefined);
  }

  const silence = (): VaultError => new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });

  test("R18-3: is not called ready by what was stored of the first one, before the second has answered", async () => {
    await follow("v1");
    mounted.two.failure = silence;
    mounted.name("vault-2", "v1");
    await mounted.pass(MINUTE);
    assert.deepEqual(mounted.says, ["v1", "Unreachable", "False Unreachable", "False Unreachable"]);

    mounted.two.failure = undefined;
    await mounted.pass(10 * MINUTE);
    assert.deepEqual(mounted.says.slice(1), ["ObjectNotFound", "False ObjectNotFound", "False ObjectNotFound"]);
  });

  test("R18-3: takes no list of the second for one of the first, and the workload is restarted", async () => {
    await follow();
    mounted.two.failure = silence;
    mounted.name("vault-2");
    await mounted.pass(MINUTE);
    assert.equal(mounted.says[1], "Unreachable");

    mounted.two.failure = undefined;
    await mounted.pass(10 * MINUTE);
    assert.deepEqual(mounted.says, ["v2", undefined, "True Synced", "True Synced"]);
    assert.notEqual(mounted.restartedFor, undefined);
  });

  test("R18-4: restarts the workload also where the class was deleted and made anew, at the same generation", async () => {
    await follow();
    mounted.world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    mounted.name("vault-2");
    await mounted.pass(10 * MINUTE);

    assert.deepEqual(mounted.says, ["v2", undefined, "True Synced", "True Synced"]);
    assert.notEqual(mounted.restartedFor, undefined);
  });

  test("R18-4: restarts it by the driver's record where the class was away for so long that its status went, too", async () => {
    await follow();
    mounted.record("v1");
    mounted.world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    await mounted.pass(10 * MINUTE);
    assert.equal(mounted.world.status(CLASS), undefined);
    mounted.name("vault-2");
    await mounted.pass(10 * MINUTE);

    assert.deepEqual(mounted.says, ["v2", undefined, "True Synced", "True Synced"]);
    assert.notEqual(mounted.restartedFor, undefined);
  });

  test("restarts nothing where it is made anew and names the same vault", async () => {
    await follow();
    mounted.world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    mounted.name("vault-1");
    await mounted.pass(10 * MINUTE);

    assert.deepEqual([mounted.says[0], mounted.restartedFor], ["v1", undefined]);
  });
});
