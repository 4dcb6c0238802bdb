import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasOldMount, hasOtherMount, isRecordOf, podFilesOf, podsBehind, podsUndecided } from "../../src/domain/rollout/mounted-files.ts";
import { CLOCKS_MS, type MountedClass, SHOWN_AFTER_MS } from "../../src/domain/rollout/mounted-versions.ts";
import { planNamespace } from "../../src/domain/rollout/namespace-plan.ts";
import type { AgingPod } from "../../src/domain/rollout/pod-age.ts";
import { standingOf } from "../../src/domain/rollout/standing.ts";
import type { KnownVersions } from "../../src/domain/rollout/versions.ts";
import type { Workload } from "../../src/domain/rollout/workload.ts";
import { rotatedOf } from "../../src/domain/sync/rotated-condition.ts";
import { NEW, OLD, stamped, workload } from "../support/worker/observed-workload.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);
const time = (minute: number): string => new Date(START + minute * MINUTE).toISOString();

/** A class whose versions appeared in the tenth minute. */
const FILES: MountedClass = {
  className: "files",
  versions: new Map([["secret/a", "2"]]),
  objects: ["secret/a@2"],
  since: START + 10 * MINUTE,
};

interface PodFacts {
  readonly name?: string;
  readonly made?: number;
  readonly phase?: string;
  readonly isGoing?: boolean;
}

function pod({ name = "web-1", made = 0, phase = "Running", isGoing = false }: PodFacts = {}): AgingPod {
  const going = isGoing ? { deletionTimestamp: time(made) } : {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, uid: `uid of ${name}`, creationTimestamp: time(made), ...going },
    status: { phase },
  };
}

/** Times in minutes. `changed`: when the driver last wrote the record. `labelled`: when another user last changed its labels. */
interface RecordFacts {
  readonly name?: string;
  readonly made?: number;
  readonly changed?: number;
  readonly labelled?: number;
  readonly mounted?: boolean;
}

/** The record that the driver writes for the pod. */
const record = (objects: Readonly<Record<string, string>>, facts: RecordFacts = {}) => {
  const { name = "web-1", made = 0, changed = made, labelled = made, mounted = true } = facts;
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClassPodStatus",
    metadata: {
      name: `${name}-team-files`,
      namespace: "team",
      creationTimestamp: time(made),
      managedFields: [
        { manager: "driver", time: time(changed), fieldsV1: { "f:metadata": {}, "f:status": { "f:objects": {} } } },
        { manager: "somebody", time: time(labelled), fieldsV1: { "f:metadata": { "f:labels": {} } } },
      ],
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid: `uid of ${name}` }],
    },
    status: {
      podName: name,
      secretProviderClassName: "files",
      mounted,
      objects: Object.entries(objects).map(([id, version]) => ({ id, version })),
    },
  };
};

const filesOf =
  (...records: readonly ReturnType<typeof record>[]) =>
  (of: AgingPod, className: string) =>
    records.map((each) => podFilesOf(each)).find((files) => files !== undefined && isRecordOf(files, of, className));

describe("the driver has not brought the files up to date", () => {
  const rows: readonly (readonly [string, readonly AgingPod[], readonly ReturnType<typeof record>[], readonly string[]])[] = [
    ["of a pod with another version", [pod()], [record({ "secret/a": "1" })], ["web-1"]],
    ["of a pod without the object", [pod()], [record({ "secret/b": "2" })], ["web-1"]],
    ["of a running pod without a record", [pod()], [], ["web-1"]],
    ["of a pod whose record says that it has not mounted", [pod()], [record({ "secret/a": "2" }, { mounted: false })], ["web-1"]],
    ["of a pod with the record of another one", [pod({ name: "web-2" })], [record({ "secret/a": "2" })], ["web-2"]],
    ["of some of them", [pod({ name: "web-2" }), pod()], [record({ "secret/a": "2" })], ["web-2"]],
  ];
  for (const [what, pods, records, behind] of rows) {
    test(what, () => assert.deepEqual(podsBehind(pods, [FILES], filesOf(...records)), behind));
  }
});

describe("nobody waits for the driver", () => {
  const current = record({ "secret/a": "2", "secret/other": "7" });
  const rows: readonly (readonly [string, readonly AgingPod[], readonly ReturnType<typeof record>[]])[] = [
    ["where the files have the versions, whatever else they have", [pod()], [current]],
    ["for a pod that has not started: it mounts what the vault has then", [pod(), pod({ name: "web-2", phase: "Pending" })], [current]],
    ["for a pod that is going", [pod({ isGoing: true })], []],
    ["for a pod that has ended", [pod({ phase: "Succeeded" })], []],
    ["where there are no pods", [], []],
  ];
  for (const [what, pods, records] of rows) {
    test(what, () => assert.deepEqual(podsBehind(pods, [FILES], filesOf(...records)), []));
  }
});

describe("a pod has mounted a class before its versions came", () => {
  const rows: readonly (readonly [string, boolean, AgingPod, readonly ReturnType<typeof record>[]])[] = [
    ["by a record that is older", true, pod({ made: 1 }), [record({ "secret/a": "2" }, { made: 2 })]],
    ["not by its own age: it may have waited for the object", false, pod({ made: 1 }), [record({ "secret/a": "2" }, { made: 11 })]],
    ["not without a record", false, pod({ made: 1 }), []],
    ["not where the record is that of an older pod of the name", false, pod({ made: 11 }), [record({ "secret/a": "2" }, { made: 2 })]],
    ["not where it is going", false, pod({ made: 1, isGoing: true }), [record({ "secret/a": "2" }, { made: 2 })]],
    [
      "not within the difference of two clocks",
      false,
      pod({ made: 1 }),
      [record({ "secret/a": "2" }, { made: 10 - CLOCKS_MS / MINUTE / 2 })],
    ],
  ];
  for (const [what, expected, of, records] of rows) {
    test(what, () => assert.equal(hasOldMount([of], [FILES], filesOf(...records)), expected));
  }

  test("not where nobody knows since when it has the versions", () => {
    assert.ok(!hasOldMount([pod({ made: 1 })], [{ ...FILES, since: 0 }], filesOf(record({ "secret/a": "2" }, { made: 2 }))));
  });
});

describe("R18-9: a pod has mounted other versions, whatever clocks say", () => {
  const young = { made: 11 };
  const rows: readonly (readonly [string, boolean, AgingPod, readonly ReturnType<typeof record>[]])[] = [
    ["where the record shows another one than the vault has", true, pod(young), [record({ "secret/a": "1" }, young)]],
    ["where the record was changed after the mount", true, pod(young), [record({ "secret/a": "2" }, { ...young, changed: 13 })]],
    ["not where it shows what the vault has, and always did", false, pod(young), [record({ "secret/a": "2" }, young)]],
    ["not where somebody put a label on the record", false, pod(young), [record({ "secret/a": "2" }, { ...young, labelled: 13 })]],
    [
      "not where the mount changed the record of an earlier pod",
      false,
      pod(young),
      [record({ "secret/a": "2" }, { made: 5, changed: 12 })],
    ],
    ["not of an object that the record does not show", false, pod(young), [record({ "secret/b": "1" }, young)]],
    ["not without a record", false, pod(young), []],
    ["not where it is going", false, pod({ ...young, isGoing: true }), [record({ "secret/a": "1" }, young)]],
  ];
  for (const [what, expected, of, records] of rows) {
    test(what, () => assert.equal(hasOtherMount([of], [FILES], filesOf(...records)), expected));
  }

  test("cannot be said of one that has still to mount, while the vault may give an older version than its newest", () => {
    const undecided = (now: number, facts: PodFacts, ...records: readonly ReturnType<typeof record>[]) =>
      podsUndecided([pod(facts)], { classes: [FILES], filesOf: filesOf(...records), now });
    const pending = { ...young, phase: "Pending" };
    assert.deepEqual(undecided(FILES.since + SHOWN_AFTER_MS - 1, pending), ["web-1"]);
    assert.deepEqual(undecided(FILES.since + SHOWN_AFTER_MS, pending), []);
    assert.deepEqual(undecided(FILES.since, pending, record({ "secret/a": "2" }, young)), []);
    assert.deepEqual(undecided(FILES.since, young), []);
  });
});

describe("a workload with other versions than it mounts", () => {
  const MOUNTED: KnownVersions = { kind: "known", objects: ["secret/a@2"], since: 0, rotated: 0, secrets: [], mounted: [FILES] };
  const BOTH: KnownVersions = { ...MOUNTED, objects: ["secret/a@2", "secret/b@1"], since: 7, rotated: 5, secrets: ["app"] };
  const MIRRORED = "cccccccccccccccc";
  const standing = (of: Workload, versions: KnownVersions = MOUNTED, mirroredStamp?: string) =>
    standingOf({ workload: of, versions, stamp: NEW, mirroredStamp, stalledMs: 0, timeoutMs: MINUTE });
  const late = FILES.since + CLOCKS_MS;

  test("is due by what the driver's records prove, where it was never stamped", () => {
    assert.deepEqual(standing(workload()), { kind: "due", stamp: NEW, turn: "ready", since: 0, byMount: true });
    assert.deepEqual(standing(workload(), BOTH, MIRRORED), { kind: "due", stamp: NEW, turn: "ready", since: 5, byMount: true });
  });

  test("is due by the age of its pods, where it was stamped for others, with room for clocks that differ", () => {
    assert.deepEqual(standing(stamped(OLD)), { kind: "due", stamp: NEW, turn: "unfinished", since: late });
    assert.deepEqual(standing(stamped(OLD), BOTH, MIRRORED), { kind: "due", stamp: NEW, turn: "unfinished", since: late });
  });

  test("is due by records alone where an earlier worker stamped it for what its Secrets have still", () => {
    assert.deepEqual(standing(stamped(MIRRORED), BOTH, MIRRORED), { kind: "due", stamp: NEW, turn: "unfinished", since: 0, byMount: true });
  });

  test("is told of where nobody looks at what it uses", () => {
    const versions = { kind: "none", why: "nobody follows" } as const;
    assert.deepEqual(standingOf({ workload: workload(), versions, stamp: NEW, stalledMs: 0, timeoutMs: MINUTE }), {
      kind: "noVersions",
      why: "nobody follows",
    });
  });

  test("waits for its files without a restart, holds up its namespace only with an unfinished one, and is shown by the condition", () => {
    const waiting = (isUnfinished: boolean) =>
      ({ workload: workload({ name: "a" }), standing: { kind: "awaitingFiles", isUnfinished, message: "files", until: 1 } }) as const;
    const due = { workload: workload({ name: "b" }), standing: { kind: "due", stamp: NEW, since: 0, turn: "ready" } } as const;

    assert.deepEqual(planNamespace([waiting(false), due], 1).starts, [due]);
    assert.deepEqual(planNamespace([waiting(true), due], 1).starts, []);
    assert.deepEqual(rotatedOf([waiting(false)], undefined), { status: "False", reason: "AwaitingFiles", message: "files" });
  });
});
