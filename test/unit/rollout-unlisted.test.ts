import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { KubeWatcher, Reflector, ReflectorOptions } from "../../src/domain/ports/kube-watcher.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const TEAM = "team";
const MINUTE = 60_000;

/** A watcher whose lists of one kind fail for as long as the test sets `isFailing`. */
class FailingWatcher {
  isFailing = true;
  readonly #kind: string;

  constructor(kind: string) {
    this.#kind = kind;
  }

  readonly over = (real: KubeWatcher): KubeWatcher => ({
    reflect: <T>(options: ReflectorOptions<T>, signal: AbortSignal): Reflector<T> => {
      const reflector = real.reflect(options, signal);
      if (options.resource.kind !== this.#kind) return reflector;
      const hasSynced = (): boolean => !this.isFailing && reflector.hasSynced;
      return {
        get hasSynced() {
          return hasSynced();
        },
        get isUnserved() {
          return reflector.isUnserved;
        },
        get lastActivity() {
          return reflector.lastActivity;
        },
        get silentFor() {
          return reflector.silentFor;
        },
        get unbrokenSince() {
          return reflector.unbrokenSince;
        },
        get isFollowed() {
          return reflector.isFollowed;
        },
        get: (ref) => reflector.get(ref),
        list: () => reflector.list(),
        relist: () => reflector.relist(),
        synced: (waiting) => reflector.synced(waiting),
      };
    },
  });
}

describe("a kind that cannot be listed", () => {
  let restarts: Restarts;
  afterEach(() => restarts.stop());

  async function rotatedWithout(kind: string): Promise<FailingWatcher> {
    const watcher = new FailingWatcher(kind);
    watcher.isFailing = false;
    restarts = new Restarts({ watchesArgo: true }, watcher.over);
    restarts.team(TEAM);
    restarts.deploy(TEAM, "web");
    await restarts.lead();
    assert.match(restarts.rotated(TEAM), /^True Rotated/);
    await restarts.stop();
    watcher.isFailing = true;
    await restarts.lead();
    await restarts.rotate(TEAM);
    assert.equal(restarts.stamp(TEAM, "web"), undefined, "its list may still come");
    await restarts.pass(2 * MINUTE);
    return watcher;
  }

  for (const kind of ["Rollout", "StatefulSet"]) {
    test(`R18-8: keeps no workload of another kind from its restart, and is told: ${kind}`, async () => {
      const watcher = await rotatedWithout(kind);
      assert.ok(restarts.stamp(TEAM, "web"));
      restarts.complete(TEAM, "web");
      await restarts.pass(MINUTE);
      assert.match(restarts.rotated(TEAM), new RegExp(`^Unknown VersionsUnknown: the worker cannot list ${kind}s`));
      assert.ok(restarts.world.logger.entries.some(({ message }) => message.startsWith("restarts continue without a kind")));
      watcher.isFailing = false;
      await restarts.pass(2 * MINUTE);
      assert.match(restarts.rotated(TEAM), /^True Rotated/);
    });
  }

  test("R18-8: is told where it is Namespaces, without which no workload is restarted", async () => {
    const watcher = await rotatedWithout("Namespace");
    assert.equal(restarts.stamp(TEAM, "web"), undefined, "a pause may stand on its Namespace");
    assert.match(restarts.rotated(TEAM), /^Unknown VersionsUnknown: the worker cannot list Namespaces/);
    watcher.isFailing = false;
    await restarts.pass(MINUTE);
    assert.ok(restarts.stamp(TEAM, "web"));
  });

  test("R18-8: keeps the condition of a class that only its workloads may use", async () => {
    await rotatedWithout("Deployment");
    assert.equal(restarts.stamp(TEAM, "web"), undefined);
    assert.match(restarts.rotated(TEAM), /^Unknown VersionsUnknown: the worker cannot list Deployments/);
  });

  test("R2-5: does not lift the halt that the leader before reported", async () => {
    const watcher = new FailingWatcher("Namespace");
    watcher.isFailing = false;
    restarts = new Restarts({ mostAtATime: 3 }, watcher.over);
    restarts.team(TEAM);
    for (const name of ["a", "b", "c"]) restarts.deploy(TEAM, name);
    await restarts.lead();
    restarts.failWrites("a", "Forbidden", 403);
    for (const name of ["b", "c"]) restarts.annotate(TEAM, name, { "restart-paused": "true" });
    await restarts.pass(1_000);
    await restarts.rotate(TEAM);
    await restarts.pass(MINUTE);
    for (const name of ["b", "c"]) restarts.annotate(TEAM, name, { "restart-paused": "false" });
    await restarts.pass(30_000);
    assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a/);
    await restarts.stop();
    watcher.isFailing = true;
    await restarts.lead();
    await restarts.pass(150_000);
    assert.match(restarts.rotated(TEAM), /^Unknown VersionsUnknown: the worker cannot list Namespaces/);
    watcher.isFailing = false;
    await restarts.pass(MINUTE);

    assert.deepEqual([restarts.stamp(TEAM, "b"), restarts.stamp(TEAM, "c")], [undefined, undefined]);
  });
});
