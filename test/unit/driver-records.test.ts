/** The parts that the worker reads from the driver's records of a namespace's pods. The worker ignores records that someone else wrote. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type KubeObject, type ObjectRef, RESOURCES } from "../../src/domain/kubernetes.ts";
import { hasOldMount, podsBehind } from "../../src/domain/rollout/mounted-files.ts";
import type { AgingPod } from "../../src/domain/rollout/pod-age.ts";
import { createDriverRecords, type DriverRecords } from "../../src/sync/rollouts/pod-files.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const RESOURCE = RESOURCES.secretProviderClassPodStatuses;
const VERSION_SINCE = Date.UTC(2030, 0, 1);
const POD: AgingPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", uid: "uid of web-1", creationTimestamp: "2020-01-01T00:00:00Z" },
  status: { phase: "Running" },
};
const CLASSES = [{ className: "files", versions: new Map([["secret/a", "v2"]]), objects: ["secret/a@v2"], since: VERSION_SINCE }];

interface RecordFacts {
  readonly namespace?: string;
  readonly name?: string;
  readonly version: string;
  readonly uid?: string;
  readonly className?: string;
}

/** The record of the pod as the driver writes it, with these differences. */
function recordOf({
  namespace = "team",
  name = "web-1-team-files",
  version,
  uid = "uid of web-1",
  className = "files",
}: RecordFacts): KubeObject {
  const ownerReferences = [{ apiVersion: "v1", kind: "Pod", name: "web-1", uid }];
  const status = { podName: "web-1", secretProviderClassName: className, mounted: true, objects: [{ id: "secret/a", version }] };
  const body = { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: RESOURCE.kind, metadata: { namespace, name, ownerReferences }, status };
  return body;
}

describe("driver records", () => {
  let cluster: SimulatedCluster;
  let clock: ManualClock;
  let records: DriverRecords;
  let stop: AbortController;

  beforeEach(async () => {
    clock = new ManualClock();
    cluster = new SimulatedCluster(clock);
    stop = new AbortController();
    const crdHealth = { state: { kind: "whole", crdUid: "uid", crdGeneration: 1 } } as const;
    records = createDriverRecords(
      { watcher: cluster.watcher, crdHealth, onChange: () => undefined, onListed: () => undefined },
      stop.signal,
    );
    records.problem();
    await clock.advance(1_000);
    assert.equal(records.problem(), undefined);
  });
  afterEach(() => stop.abort());

  async function put(object: KubeObject): Promise<KubeObject> {
    const stored = cluster.put(RESOURCE, object);
    await clock.advance(1_000);
    return stored;
  }
  async function remove(ref: ObjectRef): Promise<void> {
    cluster.delete(RESOURCE, ref);
    await clock.advance(1_000);
  }
  const behind = (): readonly string[] => podsBehind([POD], CLASSES, records.filesIn("team"));
  const isOld = (): boolean => hasOldMount([POD], CLASSES, records.filesIn("team"));

  test("say what the files of a pod have, and follow it", async () => {
    await put(recordOf({ version: "v1" }));
    assert.deepEqual([behind(), isOld()], [["web-1"], true]);
    await put(recordOf({ version: "v2" }));
    assert.deepEqual([behind(), isOld()], [[], true]);
    await remove({ namespace: "team", name: "web-1-team-files" });
    assert.deepEqual([behind(), isOld()], [["web-1"], false]);
  });

  test("RC8: of a namespace without any left are forgotten, and its next record makes earlier conclusions invalid", async () => {
    await put(recordOf({ version: "v1" }));
    const before = records.changesIn("team");
    await put(recordOf({ version: "v1", name: "x" }));
    for (const name of ["x", "web-1-team-files"]) {
      assert.notEqual(records.changesIn("team"), 0);
      await remove({ namespace: "team", name });
    }
    assert.equal(records.changesIn("team"), 0, "as in a namespace that never had one");
    await put(recordOf({ version: "v1" }));
    assert.ok(records.changesIn("team") > before);
  });

  const strangers: readonly (readonly [string, RecordFacts])[] = [
    ["another namespace", { namespace: "evil", version: "v2" }],
    ["another namespace, under a name of its own", { namespace: "evil", name: "x", version: "v2" }],
    ["the namespace, under another name than the driver gives", { name: "x", version: "v2" }],
  ];
  for (const [where, facts] of strangers) {
    test(`A18-15: of ${where} say nothing of the pod whose uid they claim, and take nothing away when they go`, async () => {
      await put(recordOf({ version: "v1" }));
      const stranger = await put(recordOf(facts));
      assert.deepEqual([behind(), isOld()], [["web-1"], true]);
      await remove(stranger.metadata);
      assert.deepEqual([behind(), isOld()], [["web-1"], true]);
    });

    test(`A18-15: of ${where} stand for no record of the driver's`, async () => {
      await put(recordOf(facts));
      assert.deepEqual([behind(), isOld()], [["web-1"], false]);
    });
  }

  const others: readonly (readonly [string, RecordFacts])[] = [
    ["an earlier pod of the same name", { version: "v2", uid: "uid of the one before" }],
    ["a class whose name makes the same one of the record", { version: "v2", className: "other" }],
  ];
  for (const [whose, facts] of others) {
    test(`of ${whose} say nothing of the pod`, async () => {
      await put(recordOf(facts));
      assert.deepEqual([behind(), isOld()], [["web-1"], false]);
    });
  }
});
