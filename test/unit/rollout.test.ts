import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { labelSelectorText } from "../../src/domain/rollout/label-selector.ts";
import { type Judged, planNamespace } from "../../src/domain/rollout/namespace-plan.ts";
import { hasOldPod } from "../../src/domain/rollout/pod-age.ts";
import { hasStamp, isRestarted, restartStamp } from "../../src/domain/rollout/stamp.ts";
import { type Standing, standingOf } from "../../src/domain/rollout/standing.ts";
import { usesOf } from "../../src/domain/rollout/uses.ts";
import { type NamespaceSecrets, versionsFor } from "../../src/domain/rollout/versions.ts";
import { observeWorkload, type Workload, type WorkloadKind } from "../../src/domain/rollout/workload.ts";
import type { ClassStatus } from "../../src/domain/sync/class-status.ts";
import { rotatedOf, withRotated } from "../../src/domain/sync/rotated-condition.ts";

const { inject, restartOnRotation, rotated, secretProviderClass, envFrom } = POD_ANNOTATIONS;
const NEW = "aaaaaaaaaaaaaaaa";
const OLD = "bbbbbbbbbbbbbbbb";

interface Facts {
  readonly kind?: WorkloadKind;
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly own?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly pod?: object;
  readonly status?: object;
  readonly generation?: number;
}

const READY = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };

function observed(facts: Facts = {}): Workload | undefined {
  const { kind = "Deployment", name = "web", annotations = { [restartOnRotation]: "true" }, own = {}, spec = {}, pod = {} } = facts;
  const object = {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace: "team", uid: name, resourceVersion: "1", generation: facts.generation ?? 2, annotations: own },
    spec: { selector: { matchLabels: { app: name } }, template: { metadata: { annotations }, spec: pod }, ...spec },
    status: facts.status ?? READY,
  };
  return observeWorkload(kind, object);
}

function workload(facts: Facts = {}): Workload {
  const found = observed(facts);
  assert.ok(found);
  return found;
}

function stamped(stamp: string, facts: Facts = {}): Workload {
  return workload({ ...facts, annotations: { [restartOnRotation]: "true", [rotated]: stamp }, own: { [rotated]: stamp } });
}

const KNOWN = { kind: "known", objects: ["secret/a@2"], since: 7, rotated: 0, secrets: ["app"] } as const;

function standing(of: Workload, stalledMs = 0): Standing {
  return standingOf({ workload: of, versions: KNOWN, stamp: NEW, stalledMs, timeoutMs: 60_000 });
}

describe("a workload asks for restarts", () => {
  test("by its template, or by its Namespace where the template opted in and says nothing", () => {
    const asks = (annotations: Readonly<Record<string, string>>, defaults = {}): boolean => {
      const found = observed({ annotations });
      return found !== undefined && usesOf(found, defaults).asksForRestarts;
    };
    const byDefault = { [restartOnRotation]: "true" };

    assert.ok(asks({ [restartOnRotation]: "true" }));
    assert.ok(asks({ [inject]: "true" }, byDefault));
    assert.ok(!asks({}, byDefault));
    assert.ok(!asks({ [inject]: "true" }));
    assert.ok(!asks({ [inject]: "true", [restartOnRotation]: "false" }, byDefault));
    assert.ok(!asks({ [restartOnRotation]: "yes" }));
  });

  test("no more once it is being deleted", () => {
    const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", deletionTimestamp: "2026-01-01T00:00:00Z" } };
    const spec = { template: { metadata: { annotations: { [restartOnRotation]: "true" } } } };

    assert.equal(observeWorkload("Deployment", { ...object, spec } as typeof object), undefined);
  });
});

describe("what a workload uses", () => {
  const csi = (driver: string, name: string) => ({ name, csi: { driver, volumeAttributes: { secretProviderClass: name } } });

  test("are classes of its CSI volumes, and Secrets of variables and volumes, init containers included", () => {
    const pod = {
      volumes: [
        csi("secrets-store.csi.k8s.io", "mounted"),
        csi("other.example", "foreign"),
        { name: "s", secret: { secretName: "in-volume" } },
        { name: "p", projected: { sources: [{ secret: { name: "projected" } }, { configMap: { name: "no" } }] } },
      ],
      initContainers: [{ name: "i", envFrom: [{ secretRef: { name: "of-init" } }, { configMapRef: { name: "no" } }] }],
      containers: [
        {
          name: "c",
          env: [
            { name: "A", valueFrom: { secretKeyRef: { name: "in-env", key: "k" } } },
            { name: "B", value: "x" },
          ],
        },
      ],
    };

    const uses = usesOf(workload({ pod }), {});

    assert.deepEqual(uses.classes, ["mounted"]);
    assert.deepEqual(uses.secrets, ["in-env", "in-volume", "of-init", "projected"]);
  });

  test("are what its annotations say, those of its Namespace included, where it opted in", () => {
    const annotations = { [restartOnRotation]: "true", [secretProviderClass]: "one, two" };
    const defaults = { [envFrom]: "shared" };

    assert.deepEqual(usesOf(workload({ annotations }), defaults), { asksForRestarts: true, classes: [], secrets: [] });
    const optedIn = usesOf(workload({ annotations: { ...annotations, [inject]: "true" } }), defaults);
    assert.deepEqual(optedIn, { asksForRestarts: true, classes: ["one", "two"], secrets: ["shared"] });
  });
});

describe("the versions of a workload", () => {
  const namespace = (secrets: Readonly<Record<string, readonly string[]>>, present: readonly string[]): NamespaceSecrets => ({
    secretsOf: (name) => secrets[name],
    isMirrored: (name) => Object.values(secrets).flat().includes(name),
    versionsIn: (name) => {
      const index = present.indexOf(name);
      return index === -1 ? undefined : { objects: [`secret/${name}@1`, "secret/shared@1"], since: index, isFirst: name === "c" };
    },
  });
  const uses = { asksForRestarts: true, classes: ["one", "two"], secrets: ["c", "foreign"] };

  test("are those of all Secrets of its classes, and of the mirrored Secrets that it names", () => {
    const versions = versionsFor(uses, namespace({ one: ["a"], two: [], three: ["c"], four: ["d"] }, ["c", "a", "d"]));

    assert.deepEqual(versions, {
      kind: "known",
      objects: ["secret/a@1", "secret/c@1", "secret/shared@1"],
      since: 1,
      rotated: 1,
      secrets: ["a", "c"],
    });
  });

  test("are not known while a Secret or a class is missing: a part of them would be other versions", () => {
    assert.equal(versionsFor(uses, namespace({ one: ["a", "b"], two: [] }, ["a"])).kind, "unknown");
    assert.equal(versionsFor(uses, namespace({ one: ["a"] }, ["a"])).kind, "unknown");
    assert.equal(versionsFor(uses, namespace({ one: ["a"], two: [], three: ["c"] }, ["a"])).kind, "unknown");
  });

  test("are none where its classes only mount", () => {
    assert.deepEqual(versionsFor(uses, namespace({ one: [], two: [] }, [])), { kind: "none" });
  });
});

describe("stamps", () => {
  test("on the template make a restart, on the workload alone a record", () => {
    assert.ok(hasStamp({ templateStamp: NEW, podsStamp: undefined }, NEW));
    assert.ok(hasStamp({ templateStamp: OLD, podsStamp: NEW }, NEW));
    assert.ok(!hasStamp({ templateStamp: NEW, podsStamp: OLD }, NEW));
    assert.ok(isRestarted({ templateStamp: NEW, podsStamp: NEW }));
    assert.ok(!isRestarted({ templateStamp: OLD, podsStamp: NEW }));
    assert.ok(!isRestarted({ templateStamp: undefined, podsStamp: NEW }));
  });

  test("always change the template that they restart, also when versions come back", () => {
    const back = { templateStamp: NEW, podsStamp: OLD };

    const again = restartStamp(back, NEW);

    assert.notEqual(again, NEW);
    assert.ok(hasStamp({ templateStamp: again, podsStamp: again }, NEW));
    assert.equal(restartStamp({ templateStamp: again, podsStamp: OLD }, NEW), NEW);
  });
});

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

function daemons(updated: number, available: number, wanted = 2): object {
  return { observedGeneration: 2, desiredNumberScheduled: wanted, updatedNumberScheduled: updated, numberAvailable: available };
}

describe("a workload stands", () => {
  const unready = { ...READY, availableReplicas: 0 };
  const rolling = { ...READY, updatedReplicas: 0 };

  test("due where its pods may have other versions", () => {
    assert.deepEqual(standing(workload()), { kind: "due", stamp: NEW, since: 0, turn: "ready" });
    assert.deepEqual(standing(stamped(OLD)), { kind: "due", stamp: NEW, since: 7, turn: "ready" });
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
    standing: { kind, message: "m" },
  });
  const names = (judged: readonly Judged[]): readonly string[] => judged.map((each) => each.workload.ref.name);

  test("restarts by name, what is disturbed already first, what is not ready anyway last", () => {
    const plan = planNamespace([due("c"), due("a", "unready"), due("b"), due("d", "unfinished")], 1);

    assert.deepEqual(names(plan.due), ["d", "b", "c", "a"]);
    assert.equal(plan.slots, 1);
  });

  test("restarts no more at a time than is allowed", () => {
    assert.equal(planNamespace([due("b"), other("a", "restarting")], 1).slots, 0);
    assert.equal(planNamespace([due("b"), other("a", "restarting")], 3).slots, 2);
  });

  test("restarts nothing after one that failed", () => {
    const plan = planNamespace([due("b"), other("a", "failed")], 5);

    assert.equal(plan.slots, 0);
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

describe("the condition Rotated of a class", () => {
  const at = (name: string, standingOfIt: Standing): Judged => ({ workload: workload({ name }), standing: standingOfIt });
  const due: Standing = { kind: "due", stamp: NEW, since: 0, turn: "ready" };
  const failed: Standing = { kind: "failed", message: "Deployment a: 0 of 1 pods" };

  test("is False with the failure, also where it is another class's", () => {
    assert.deepEqual(rotatedOf([at("a", failed), at("b", due)], undefined)?.message, "Deployment a: 0 of 1 pods");
    assert.deepEqual(rotatedOf([at("b", due)], at("a", failed)), {
      status: "False",
      reason: "RolloutFailed",
      message: "Deployment b is not restarted: Deployment a: 0 of 1 pods",
    });
  });

  test("is False while restarts are under way or waited for, and names them", () => {
    const rotatedNow = rotatedOf([at("a", { kind: "restarting", message: "m" }), at("b", due)], undefined);

    assert.deepEqual(rotatedNow?.reason, "Restarting");
    assert.equal(rotatedNow?.message, "being restarted: Deployment a; waiting for a restart: Deployment b");
  });

  test("is True when all have the versions, and says nothing where something is not known", () => {
    assert.equal(rotatedOf([at("a", { kind: "current" })], undefined)?.status, "True");
    assert.equal(rotatedOf([at("a", { kind: "current" }), at("b", { kind: "unknown", why: "w" })], undefined), undefined);
    assert.equal(rotatedOf([], undefined), undefined);
  });

  test("is written once, and keeps the time of its change", () => {
    const stored: ClassStatus = { observedGeneration: 1, conditions: [], secretsSynced: "1/1", secrets: [] };
    const verdict = rotatedOf([at("a", { kind: "current" })], undefined);
    assert.ok(verdict);

    const first = withRotated(stored, verdict, "2026-01-01T00:00:00Z");
    assert.ok(first);
    assert.equal(withRotated(first, verdict, "2026-01-01T01:00:00Z"), undefined);
    const later = withRotated(first, { ...verdict, message: "other" }, "2026-01-01T01:00:00Z");
    assert.equal(later?.conditions.length, 1);
    assert.equal(later?.conditions[0]?.lastTransitionTime, "2026-01-01T00:00:00Z");
  });
});
