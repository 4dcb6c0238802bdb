import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { labelSelectorText } from "../../src/domain/rollout/label-selector.ts";
import { type Judged, planNamespace } from "../../src/domain/rollout/namespace-plan.ts";
import { hasOldPod } from "../../src/domain/rollout/pod-age.ts";
import { settledStamp } from "../../src/domain/rollout/stamp.ts";
import { type Standing, standingOf } from "../../src/domain/rollout/standing.ts";
import type { Workload } from "../../src/domain/rollout/workload.ts";
import type { WorkloadKind } from "../../src/domain/rollout/workload-kinds.ts";
import { daemons, NEW, OLD, READY, stamped, workload } from "../support/worker/observed-workload.ts";

const { rotated } = POD_ANNOTATIONS;
const KNOWN = { kind: "known", objects: ["secret/a@2"], since: 7, rotated: 0, secrets: ["app"] } as const;

function standing(of: Workload, stalledMs = 0): Standing {
  return standingOf({ workload: of, versions: KNOWN, stamp: NEW, stalledMs, timeoutMs: 60_000 });
}

describe("a rollout is complete", () => {
  const rows: readonly (readonly [string, WorkloadKind, object, object, boolean])[] = [
    ["when all pods are updated and available", "Deployment", { replicas: 1 }, READY, true],
    ["not before the controller saw the template", "Deployment", {}, { ...READY, observedGeneration: 1 }, false],
    ["not while an old pod is there", "Deployment", {}, { ...READY, replicas: 2 }, false],
    ["not while a pod is not available", "Deployment", { replicas: 2 }, { ...READY, replicas: 2, updatedReplicas: 2 }, false],
    ["with no pods wanted", "Deployment", { replicas: 0 }, { observedGeneration: 2 }, true],
    ["above the partition of a StatefulSet", "StatefulSet", partition(1), { ...READY, replicas: 2, availableReplicas: 2 }, true],
    ["not below the partition", "StatefulSet", partition(0), { ...READY, replicas: 2, availableReplicas: 2 }, false],
    ["on every node", "DaemonSet", {}, daemons(2, 2), true],
    ["not on some nodes", "DaemonSet", {}, daemons(1, 2), false],
    ["without nodes", "DaemonSet", {}, daemons(0, 0, 0), true],
  ];
  for (const [what, kind, spec, status, expected] of rows) {
    test(what, () => assert.equal(workload({ kind, spec, status }).progress.isComplete, expected));
  }
});

function partition(value: number): object {
  return { replicas: 2, updateStrategy: { rollingUpdate: { partition: value } } };
}

describe("a workload stands", () => {
  const unready = { ...READY, availableReplicas: 0 };
  const rolling = { ...READY, updatedReplicas: 0 };

  test("due where its pods may have other versions", () => {
    assert.deepEqual(standing(workload()), { kind: "due", stamp: NEW, since: 0, turn: "ready" });
    const settled = { ...stamped(OLD), podsStamp: settledStamp(OLD) };
    assert.deepEqual(standing(settled), { kind: "due", stamp: NEW, since: 7, turn: "ready" });
  });

  test("first of those that are due where its last restart has still to prove itself, although its pods are available", () => {
    assert.deepEqual(standing(stamped(OLD)), { kind: "due", stamp: NEW, since: 7, turn: "unfinished" });
  });

  for (const versions of [
    { kind: "unknown", why: "secret/a is disabled" },
    { kind: "none", why: "no class has any" },
  ] as const)
    test(`N3: failed after a restart that failed, although its versions are ${versions.kind} since`, () => {
      const judged = (status: object): Standing =>
        standingOf({ workload: stamped(OLD, { status }), versions, stamp: "", stalledMs: 600_000, timeoutMs: 60_000 });
      const failed = judged(unready);
      assert.equal(failed.kind, "failed");
      assert.notEqual(judged(READY).kind, "failed");
      const due: Judged = { workload: workload({ name: "b" }), standing: standing(workload({ name: "b" })) };
      assert.deepEqual(planNamespace([{ workload: stamped(OLD), standing: failed }, due], 1).starts, []);
    });

  test("current where they have these, ready or not, unless we restarted it", () => {
    assert.equal(standing(stamped(NEW)).kind, "current");
    assert.equal(standing(workload({ own: { [rotated]: NEW }, status: unready })).kind, "current");
    assert.equal(standing(stamped(NEW, { status: unready })).kind, "restarting");
  });

  test("failed after its time without progress, or when its controller gave up", () => {
    const conditions = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];
    const spec = { progressDeadlineSeconds: 30 };

    assert.equal(standing(stamped(NEW, { spec, status: unready }), 59_999).kind, "restarting");
    assert.equal(standing(stamped(NEW, { spec, status: unready }), 60_000).kind, "failed");
    assert.equal(standing(stamped(NEW, { status: unready }), 60_000).kind, "restarting", "its own default is 600 s");
    assert.equal(standing(stamped(NEW, { status: { ...unready, conditions } })).kind, "failed");
    assert.equal(standing(stamped(NEW, { kind: "StatefulSet", status: unready }), 60_000).kind, "failed");
    assert.equal(standing(stamped(NEW, { status: { ...READY, conditions } })).kind, "current");
  });

  test("rolling while somebody else replaces its pods, as long as that goes on", () => {
    assert.equal(standing(workload({ status: rolling })).kind, "rolling");
    assert.equal(standing(workload({ status: rolling }), 600_000).kind, "due");
    assert.deepEqual(standing(stamped(OLD, { status: rolling })), { kind: "due", stamp: NEW, since: 7, turn: "unfinished" });
    assert.deepEqual(standing(workload({ status: unready })), { kind: "due", stamp: NEW, since: 0, turn: "unready" });
  });

  test("rolling while some of its pods are missing, and due where all are, or none comes back", () => {
    const some = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 2 };
    const spec = { replicas: 3 };
    const settled = { [rotated]: `${OLD}-2` };
    const ofBefore = { annotations: { "keyvault-injector.dev/restart-on-rotation": "true", [rotated]: OLD }, own: settled, spec };

    assert.equal(standing(workload({ spec, status: some })).kind, "rolling");
    assert.deepEqual(standing(workload({ spec, status: some }), 600_000), { kind: "due", stamp: NEW, since: 0, turn: "unready" });
    assert.deepEqual(standing(workload({ ...ofBefore, status: { ...some, availableReplicas: 0 } })), {
      kind: "due",
      stamp: NEW,
      since: 7,
      turn: "unready",
    });
  });

  test("obstructed where a stamp would replace no pod", () => {
    const paused = workload({ spec: { paused: true } });
    const onDelete = workload({ kind: "DaemonSet", spec: { updateStrategy: { type: "OnDelete" } }, status: daemons(2, 2) });

    assert.deepEqual(standing(paused), { kind: "obstructed", reason: "Paused", stamp: NEW, since: 0 });
    assert.deepEqual(standing(onDelete), { kind: "obstructed", reason: "OnDelete", stamp: NEW, since: 0 });
  });
});

describe("a namespace", () => {
  const due = (name: string, turn: "unfinished" | "ready" | "unready" = "ready"): Judged => ({
    workload: workload({ name }),
    standing: { kind: "due", stamp: NEW, since: 0, turn },
  });
  const other = (name: string, kind: "restarting" | "failed"): Judged => ({
    workload: workload({ name }),
    standing: kind === "failed" ? { kind, why: "w" } : { kind },
  });
  const names = (judged: readonly Judged[]): readonly string[] => judged.map((each) => each.workload.ref.name);

  test("restarts by name, what is disturbed already first", () => {
    assert.deepEqual(names(planNamespace([due("c"), due("b"), due("d", "unfinished")], 3).starts), ["d", "b", "c"]);
  });

  test("restarts no more at a time than is allowed", () => {
    const due4 = ["b", "c", "d", "e"].map((name) => due(name));
    assert.deepEqual(names(planNamespace([...due4, other("a", "restarting")], 1).starts), []);
    assert.deepEqual(names(planNamespace([...due4, other("a", "restarting")], 3).starts), ["b", "c"]);
  });

  test("restarts nothing else while versions change anew under a restart that is not done", () => {
    const settling = (isUnfinished: boolean): Judged => ({
      workload: workload({ name: "a" }),
      standing: { kind: "settling", isUnfinished },
    });

    assert.deepEqual(names(planNamespace([due("b"), settling(true)], 1).starts), []);
    assert.deepEqual(names(planNamespace([due("b"), settling(true)], 2).starts), ["b"]);
    assert.deepEqual(names(planNamespace([due("b"), settling(false)], 1).starts), ["b"]);
  });

  test("restarts what was not ready anyway at once, whoever failed, beside those whose turn it is", () => {
    const started = (...judged: readonly Judged[]): readonly string[] => names(planNamespace(judged, 1).starts);

    assert.deepEqual(started(due("a"), due("b", "unready"), due("c"), due("d", "unready")), ["b", "d", "a"]);
    assert.deepEqual(started(due("b", "unready"), due("c"), other("a", "failed")), ["b"]);
  });

  test("restarts nothing after one that failed", () => {
    const plan = planNamespace([due("b"), other("a", "failed")], 5);

    assert.deepEqual(plan.starts, []);
    assert.equal(plan.haltedBy?.workload.ref.name, "a");
  });
});

describe("a pod is old", () => {
  const pod = (creationTimestamp: string, more: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", creationTimestamp, ...more },
  });
  const since = Date.parse("2026-01-01T00:00:10Z");

  test("when it was made before the versions came, or in the same second", () => {
    assert.ok(hasOldPod([pod("2026-01-01T00:00:11Z"), pod("2026-01-01T00:00:09Z")], since));
    assert.ok(hasOldPod([pod("2026-01-01T00:00:10Z")], since));
    assert.ok(!hasOldPod([pod("2026-01-01T00:00:11Z")], since));
  });

  test("not when it has ended or is going", () => {
    assert.ok(!hasOldPod([pod("2026-01-01T00:00:09Z", { deletionTimestamp: "2026-01-01T00:00:12Z" })], since));
    assert.ok(!hasOldPod([{ ...pod("2026-01-01T00:00:09Z"), status: { phase: "Failed" } }], since));
    assert.ok(!hasOldPod([], since));
  });
});

describe("the selector of a workload's pods", () => {
  test("is what a list request takes", () => {
    const matchExpressions = [
      { key: "tier", operator: "In", values: ["a", "b"] },
      { key: "old", operator: "NotIn", values: ["c"] },
      { key: "has", operator: "Exists" },
      { key: "no", operator: "DoesNotExist" },
    ];

    const text = labelSelectorText({ matchLabels: { app: "web", team: "x" }, matchExpressions });

    assert.equal(text, "app=web,team=x,tier in (a,b),old notin (c),has,!no");
  });
});
