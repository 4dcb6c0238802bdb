import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import type { ClassStatus } from "../../src/domain/sync/status-fields.ts";
import type { SecretProviderClassSync } from "../../src/domain/sync/stored-status.ts";
import { type StatusStore, startStatusStore } from "../../src/sync/classes/status-store.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const STATUSES = RESOURCES.secretProviderClassSyncs;
const CLASS = { namespace: "team", name: "app" };
const signal = new AbortController().signal;

function statusOf(observedClassGeneration: number): ClassStatus {
  return { observedClassGeneration, conditions: [], secrets: [], syncedSecrets: 0, desiredSecrets: 0 };
}

describe("a status that changes while its write is under way", () => {
  let cluster: SimulatedCluster;
  let store: StatusStore;
  let lost: string[];
  /** Releases the held answers of writes that took effect. */
  let answers: ((error?: KubeError) => void)[];
  let isHeld: boolean;
  beforeEach(async () => {
    cluster = new SimulatedCluster(new ManualClock());
    lost = [];
    answers = [];
    isHeld = false;
    const apply: KubeClient["apply"] = async (...given) => {
      const made = await cluster.client.apply(...given);
      if (!isHeld) return made;
      await new Promise<void>((resolve, reject) => answers.push((error) => (error === undefined ? resolve() : reject(error))));
      return made;
    };
    const kube = { ...cluster.client, apply };
    const crdHealth = { state: { kind: "whole" }, confirm: async () => ({ kind: "whole" }) } as unknown as Parameters<
      typeof startStatusStore
    >[0]["crdHealth"]; // The state of the CRD never changes.
    const onLost = (key: string): void => void lost.push(key);
    store = startStatusStore(
      { kube, watcher: cluster.watcher, logger: recordingLogger(), crdHealth, isOfClass: () => true, onLost },
      signal,
    );
    await quiet();
    await store.update(CLASS, () => statusOf(1), signal);
    await quiet();
  });
  const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const stored = (): number | undefined => cluster.get<SecretProviderClassSync>(STATUSES, CLASS)?.status?.observedClassGeneration;
  const beginWrite = async (generation: number): Promise<{ readonly written: Promise<void> }> => {
    isHeld = true;
    const written = store.update(CLASS, () => statusOf(generation), signal);
    await quiet();
    isHeld = false;
    assert.equal(stored(), generation);
    return { written };
  };

  test("C-11: is stored again where the object is deleted between the write and its answer", async () => {
    const { written } = await beginWrite(2);
    cluster.delete(STATUSES, CLASS);
    await quiet();
    answers[0]?.();
    await written;
    assert.deepEqual([stored(), lost], [undefined, ["team/app"]]);

    assert.equal(await store.storeUnstored(CLASS, signal), true);

    assert.equal(stored(), 2);
  });

  test("C-11: is not written again where nothing was deleted", async () => {
    const { written } = await beginWrite(2);
    answers[0]?.();
    await written;
    await quiet();
    const { length } = cluster.writes;

    assert.equal(await store.storeUnstored(CLASS, signal), true);

    assert.equal(cluster.writes.length, length);
  });

  test("C-11: stays gone where the worker itself deletes it next", async () => {
    const { written } = await beginWrite(2);
    cluster.delete(STATUSES, CLASS);
    await quiet();
    answers[0]?.();
    await written;

    await store.remove(CLASS, signal);
    await quiet();

    assert.equal(await store.storeUnstored(CLASS, signal), true);
    assert.equal(stored(), undefined);
  });

  test("C-11: is written with the next update where its write fails, also when the watch shows the one before only then", async () => {
    const mend = cluster.cutWatches(STATUSES);
    await store.update(CLASS, () => statusOf(2), signal);
    cluster.fault = ({ verb }) =>
      verb === "apply" ? new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } }) : undefined;
    await assert.rejects(store.update(CLASS, () => statusOf(3), signal));
    cluster.fault = () => undefined;
    mend();

    await store.update(CLASS, () => undefined, signal);

    assert.equal(stored(), 3);
  });
});
