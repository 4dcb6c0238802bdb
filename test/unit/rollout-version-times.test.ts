import assert from "node:assert/strict";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { describe, type TestContext, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import { namespaceSecrets, VersionTimes } from "../../src/sync/rollouts/rollout-versions.ts";
import type { SecretStore } from "../../src/sync/secrets/secret-store.ts";
import { secretOf } from "../support/fixtures/class-facts.ts";
import { Restarts } from "../support/simulation/restarts.ts";

/** A Secret that was written at this time. */
const writtenAt = (name: string, now: number): ObservedSecret => ({
  ...secretOf(name),
  ref: { namespace: "team", name },
  annotations: { "keyvault-injector.dev/objects": `secret/${name}@1` },
  writtenAt: now,
  createdAt: now,
});

/** Reconciles the namespace while its one class names these Secrets. By default, each Secret was written just now. */
function check(times: VersionTimes, names: readonly string[], now: number, held?: ReadonlyMap<string, ObservedSecret>) {
  const secretObjects = names.map((secretName) => ({ secretName, type: "Opaque", data: [] }));
  const found = namespaceSecrets({
    namespace: "team",
    classes: [
      {
        apiVersion: "secrets-store.csi.x-k8s.io/v1",
        kind: "SecretProviderClass",
        metadata: { namespace: "team", name: "one" },
        spec: { provider: "azure", secretObjects },
      },
    ],
    secrets: {
      get: ({ name }: { name: string }) => held?.get(name) ?? writtenAt(name, now),
    } as unknown as SecretStore, // The code reads nothing else.
    times,
    mounts: { statuses: { get: () => undefined }, isSwitchedOff: () => false },
    now,
  });
  return names.map((name) => found.versionsIn(name));
}

describe("A18-9: since when Secrets have their versions", () => {
  test("is remembered of so many former names only, whatever a class names edit after edit", () => {
    const times = new VersionTimes();
    check(times, ["kept"], 1_000);
    const former: string[] = [];
    for (let edit = 0; edit < 300; edit += 1) {
      const names = Array.from({ length: 20 }, (_, index) => `name-${edit}-${index}`);
      check(times, ["kept", ...names], 2_000 + edit);
      former.push(...names);
    }

    const [kept, ...others] = check(times, ["kept", ...former], 9_000);
    assert.ok(kept !== undefined && kept !== "noRoom");
    assert.equal(kept.since, 1_000, "a repair is no new version");
    const remembered = others.filter((known) => typeof known === "object" && known.since < 9_000).length;
    assert.ok(remembered > 900 && remembered <= 1_100, `${remembered} names`);
  });

  test("is kept of all that classes name, however many they are", () => {
    const times = new VersionTimes();
    const names = Array.from({ length: 3_000 }, (_, index) => `name-${index}`);
    check(times, names, 1_000);

    const again = check(times, names, 5_000);

    assert.ok(again.every((known) => known !== undefined && known !== "noRoom" && known.since === 1_000));
  });
});

describe("RC8: since when the Secrets of a namespace have their versions", () => {
  for (const order of ["the class, then the workload", "the workload, then the class"])
    test(`is forgotten with ${order}, and not with the first of them`, async (t) => {
      const forget = t.mock.method(VersionTimes.prototype, "forget");
      const forgotten = (): readonly unknown[] => forget.mock.calls.map(({ arguments: [namespace] }) => namespace);
      const restarts = new Restarts();
      for (const team of ["team", "other"]) {
        restarts.team(team);
        restarts.deploy(team, "web");
      }
      await restarts.lead();
      t.after(() => restarts.stop());
      const { cluster } = restarts.world;
      const parts = [
        () => cluster.delete(RESOURCES.secretProviderClasses, { namespace: "team", name: "app" }),
        () => cluster.delete(WORKLOADS.Deployment, { namespace: "team", name: "web" }),
      ];
      const [first, last] = order.startsWith("the class") ? parts : parts.toReversed();
      first?.();
      await restarts.pass(60_000);
      assert.deepEqual(forgotten(), []);

      last?.();
      await restarts.pass(60_000);

      assert.deepEqual(forgotten(), ["team"]);
    });
});

describe("S20-8: what a Secret was made from", () => {
  /** Counts the hashes from now on. */
  function counted(t: TestContext): { hashes: number } {
    const counter = { hashes: 0 };
    const real = crypto.createHash;
    t.mock.method(crypto, "createHash", (...given: Parameters<typeof real>) => {
      counter.hashes += 1;
      return real(...given);
    });
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    return counter;
  }

  test("is hashed once for as long as the Secret is as it was, however often its namespace is looked at", (t) => {
    const names = Array.from({ length: 100 }, (_, index) => `name-${index}`);
    const held = new Map(names.map((name) => [name, writtenAt(name, 1_000)]));
    const times = new VersionTimes();
    const counter = counted(t);
    for (let second = 1; second <= 10; second += 1) check(times, names, second * 1_000, held);
    assert.equal(counter.hashes, 100);

    held.set("name-0", writtenAt("name-0", 20_000));
    const [again] = check(times, ["name-0"], 20_000, held);
    assert.deepEqual([counter.hashes, typeof again === "object" && again.since], [101, 1_000]);
  });
});
