import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { byEnv, CLASS, NEW, OLD, SECRET, STATUS, whereIs } from "../support/cli/where.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import {
  classVolume,
  mountedStatus,
  START,
  timeAt,
  usedClass,
  usedPod,
  usedPodStatus,
  usedSecret,
  usedStatus,
} from "../support/fixtures/used-objects.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const byEnvFrom = { envFrom: [{ secretRef: { name: "db" } }] };
const byMount = (mount = {}) => ({ volumeMounts: [{ name: "secrets", mountPath: "/mnt", ...mount }] });

describe("where: a Secret", () => {
  test("has the version of its annotation, since the worker wrote it in the place of another", async () => {
    const { code, object } = await whereIs([CLASS, SECRET, STATUS], "secret/DB-Pass");

    assert.equal(code, 0);
    assert.deepEqual(object.secrets, [
      {
        namespace: "shop",
        name: "db",
        className: "web",
        keys: ["password"],
        version: NEW,
        evidence: "annotation",
        state: "current",
        since: "2023-11-01T00:01:40Z",
      },
    ]);
    assert.deepEqual(
      [object.vault, object.current.version, object.expires],
      ["https://shop-kv.vault.azure.net", NEW, "2023-11-01T02:30:00Z"],
    );
  });

  test("is on an older version where another class of the vault has been seen with a newer one", async () => {
    const other = usedClass("api", { namespace: "other", objects: ["secret/db-pass"], secrets: { db: { password: "db-pass" } } });
    const behind = usedSecret("db", { namespace: "other", className: "api", objects: `secret/db-pass@${OLD}`, createdAt: 10 });
    const { code, object } = await whereIs([CLASS, SECRET, STATUS, other, behind], "secret/db-pass");

    assert.equal(code, 1);
    assert.deepEqual(
      object.secrets.map(({ namespace, state }: Record<string, string>) => [namespace, state]),
      [
        ["shop", "current"],
        ["other", "old"],
      ],
    );
  });

  test("of another vault has nothing to do with it", async () => {
    const other = usedClass("api", { vault: "other-kv", objects: ["secret/db-pass"], secrets: { api: { password: "db-pass" } } });
    const behind = usedSecret("api", { className: "api", objects: `secret/db-pass@${OLD}`, createdAt: 10 });
    const world = [CLASS, SECRET, STATUS, other, behind];

    assert.deepEqual(
      (await whereIs(world, "secret/db-pass")).report.objects.map(({ vault }: { vault: string }) => vault),
      ["https://other-kv.vault.azure.net", "https://shop-kv.vault.azure.net"],
    );
    assert.equal((await whereIs(world, "secret/db-pass", "--vault", "other-kv")).report.objects.length, 1);
  });

  test("with a version that its class names is neither current nor old", async () => {
    const pinned = usedClass("web", { objects: [`secret/db-pass@${OLD}`], secrets: { db: { password: "db-pass" } } });
    const secret = usedSecret("db", { className: "web", objects: `secret/db-pass@${OLD}` });
    const { object } = await whereIs([pinned, secret], "secret/db-pass");

    assert.deepEqual([object.secrets[0].state, object.classes[0].pins, object.current], ["pinned", [OLD], undefined]);
  });

  test("of which two keys have two versions goes by the status", async () => {
    const both = usedClass("web", {
      objects: ["secret/db-pass", `secret/db-pass/before@${OLD}`],
      secrets: { db: { password: "db-pass", before: "before" } },
    });
    const secret = usedSecret("db", { className: "web", objects: `secret/db-pass@${OLD},secret/db-pass@${NEW}` });
    const keys = [
      { key: "password", object: "secret/db-pass", version: NEW },
      { key: "before", object: "secret/db-pass", version: OLD },
    ];
    const states = async (...status: readonly Manifest[]) =>
      (await whereIs([both, secret, ...status], "secret/db-pass")).object.secrets.map(({ keys, state }: Record<string, unknown>) => [
        keys,
        state,
      ]);

    assert.deepEqual(await states(usedStatus("web", { db: keys })), [
      [["password"], "current"],
      [["before"], "pinned"],
    ]);
    assert.deepEqual(await states(), [
      [["password"], "unknown"],
      [["before"], "unknown"],
    ]);
  });

  test("that is not there, or another class's, has no version, and it says why", async () => {
    const why = async (...more: readonly Manifest[]) => (await whereIs([CLASS, ...more], "secret/db-pass")).object.secrets[0].why;

    assert.equal(await why(), "the Secret does not exist, or the worker did not write it");
    assert.equal(
      await why(usedSecret("db", { className: "other", objects: `secret/db-pass@${NEW}` })),
      "the Secret belongs to class other",
    );
  });
});

describe("where: a container with the Secret in its environment", () => {
  for (const [name, started, container, expected] of [
    ["that started after the version came has it", 101, byEnv, ["current", "started-after", NEW]],
    ["that started in the same second as it came may have the one before", 100, byEnv, ["old", "started-before", undefined]],
    ["that started before has an older one", 50, byEnv, ["old", "started-before", undefined]],
    ["that takes all keys and started before has an older one", 50, byEnvFrom, ["old", "started-before", undefined]],
    ["that waits has none", "waiting", byEnv, ["not-running", "none", undefined]],
    ["that has ended has none", "ended", byEnvFrom, ["not-running", "none", undefined]],
  ] as const) {
    test(name, async () => {
      const { object, code } = await whereIs([CLASS, SECRET, STATUS, usedPod("web-1", { started, container })], "secret/db-pass");
      const [use] = object.containers;

      assert.deepEqual([use.state, use.evidence, use.version], expected);
      assert.equal(code, expected[0] === "old" ? 1 : 0);
    });
  }

  test("is not told of where the key is another one", async () => {
    const container = { env: [{ name: "USER", valueFrom: { secretKeyRef: { name: "db", key: "user" } } }] };
    assert.deepEqual(
      (await whereIs([CLASS, SECRET, STATUS, usedPod("web-1", { started: 1, container })], "secret/db-pass")).object.containers,
      [],
    );
  });

  test("is unknown where a repair may have been the last write of the Secret", async () => {
    const { object } = await whereIs([CLASS, SECRET, usedPod("web-1", { started: 50, container: byEnv })], "secret/db-pass");
    assert.deepEqual(
      [object.containers[0].state, object.containers[0].why],
      ["unknown", "the Secret was written after the container started, and whether its version changed then is not known"],
    );
  });

  test("goes by the time of the version where a repair wrote the Secret later", async () => {
    const repaired = usedSecret("db", { className: "web", objects: `secret/db-pass@${NEW}`, createdAt: 10, writtenAt: 500 });
    const { object } = await whereIs([CLASS, repaired, STATUS, usedPod("web-1", { started: 300, container: byEnv })], "secret/db-pass");
    assert.deepEqual([object.containers[0].state, object.secrets[0].since], ["current", "2023-11-01T00:01:40Z"]);
  });

  test("has the first version of a Secret that it waited for, in the same second too", async () => {
    const first = usedSecret("db", { className: "web", objects: `secret/db-pass@${NEW}`, createdAt: 10 });
    const { object } = await whereIs([CLASS, first, usedPod("web-1", { started: 10, container: byEnv })], "secret/db-pass");
    assert.equal(object.containers[0].state, "current");
  });

  test("is named with its workload", async () => {
    const owner = { kind: "ReplicaSet", name: "web-7f9", hash: "7f9" };
    const { object } = await whereIs(
      [CLASS, SECRET, STATUS, usedPod("web-7f9-x", { started: 200, container: byEnv, owner })],
      "secret/db-pass",
    );
    assert.deepEqual([object.containers[0].workload, object.containers[0].node], ["Deployment/web", "node-1"]);
  });
});

describe("where: a volume of the Secret", () => {
  const volumes = [{ name: "secrets", secret: { secretName: "db" } }];
  const projected = [
    { name: "secrets", projected: { sources: [{ secret: { name: "db", items: [{ key: "password", path: "conf/pw" }] } }] } },
  ];

  for (const [name, facts, expected] of [
    ["follows the Secret", { volumes, container: byMount() }, ["current", "kubelet"]],
    ["follows it as a part of a projected volume", { volumes: projected, container: byMount() }, ["current", "kubelet"]],
    ["that is mounted in part does not follow", { volumes, container: byMount({ subPath: "password" }) }, ["old", "started-before"]],
    ["whose folder is mounted does not follow", { volumes: projected, container: byMount({ subPath: "conf" }) }, ["old", "started-before"]],
  ] as const) {
    test(name, async () => {
      const { object } = await whereIs([CLASS, SECRET, STATUS, usedPod("web-1", { started: 50, ...facts })], "secret/db-pass");
      assert.deepEqual([object.containers[0].state, object.containers[0].evidence], expected);
    });
  }

  test("is unknown for the two minutes in which the kubelet may not have copied it", async () => {
    const since = (new ManualClock().now() - START) / 1_000 - 60;
    const secret = usedSecret("db", { className: "web", objects: `secret/db-pass@${NEW}`, createdAt: 10, writtenAt: since });
    const { object } = await whereIs([CLASS, secret, usedPod("web-1", { started: 50, volumes, container: byMount() })], "secret/db-pass");
    assert.deepEqual([object.containers[0].state, object.containers[0].evidence], ["unknown", "none"]);
  });

  test("without the key, or with another part of it, has nothing", async () => {
    const others = [{ name: "secrets", secret: { secretName: "db", items: [{ key: "user", path: "user" }] } }];
    for (const facts of [
      { volumes: others, container: byMount() },
      { volumes, container: byMount({ subPath: "user" }) },
    ]) {
      assert.deepEqual(
        (await whereIs([CLASS, SECRET, usedPod("web-1", { started: 50, ...facts })], "secret/db-pass")).object.containers,
        [],
      );
    }
  });
});

/** The record after `kubectl label`. */
function labelledAt(record: Manifest, seconds: number): Manifest {
  const { metadata } = record as KubeObject;
  const entry = {
    manager: "kubectl-label",
    operation: "Update",
    time: timeAt(seconds),
    fieldsV1: { "f:metadata": { "f:labels": { "f:team": {} } } },
  };
  return Object.assign({ ...record }, { metadata: { ...metadata, managedFields: [...(metadata.managedFields ?? []), entry] } });
}

describe("where: files of a class", () => {
  const mounted = (started: number | "waiting" = 50, container = byMount()) =>
    usedPod("web-1", { started, container, volumes: [classVolume("web")] });
  const files = (version: string, writtenAt: number, more = {}) =>
    usedPodStatus("web-1", { className: "web", versions: { "secret/db-pass": version }, writtenAt, ...more });

  for (const [name, objects, expected] of [
    ["have the version that the driver says", [mounted(), files(NEW, 120)], ["current", "pod-status", NEW]],
    ["also where the container waits", [mounted("waiting"), files(NEW, 120)], ["current", "pod-status", NEW]],
    ["are old where the Secret has had a newer one since", [mounted(), files(OLD, 40)], ["old", "pod-status", OLD]],
    ["are unknown without a status", [mounted()], ["unknown", "none", undefined]],
    ["are unknown where the status is of an earlier pod", [mounted(), files(NEW, 120, { podUid: "gone" })], ["unknown", "none", undefined]],
    ["are unknown where nothing is mounted", [mounted(), files(NEW, 120, { mounted: false })], ["unknown", "none", undefined]],
    [
      "that were written before the class named the object are unknown",
      [mounted(), usedPodStatus("web-1", { className: "web", versions: { "secret/other": OLD }, writtenAt: 40 })],
      ["unknown", "none", undefined],
    ],
    [
      "in part are those of the container's start",
      [mounted(50, byMount({ subPath: "db-pass" })), files(NEW, 120, { createdAt: 40 })],
      ["old", "started-before", undefined],
    ],
    [
      "in part are current before they have changed",
      [mounted(50, byMount({ subPath: "db-pass" })), files(NEW, 50)],
      ["current", "started-after", NEW],
    ],
  ] as const satisfies readonly (readonly [string, readonly Manifest[], readonly unknown[]])[]) {
    test(name, async () => {
      const { object } = await whereIs([CLASS, SECRET, STATUS, ...objects], "secret/db-pass");
      const [use] = object.containers;
      assert.deepEqual([use.state, use.evidence, use.version], expected);
    });
  }

  test("that no container mounts are the pod's", async () => {
    const { object } = await whereIs(
      [CLASS, usedPod("web-1", { started: 1, container: {}, volumes: [classVolume("web")] }), files(NEW, 2)],
      "secret/db-pass",
    );
    assert.deepEqual([object.containers.length, object.containers[0].container, object.containers[0].version], [1, undefined, NEW]);
  });

  test("of a class without Secrets are old where the worker knows of a newer version", async () => {
    const only = usedClass("web", { objects: ["secret/db-pass"] });
    const known = mountedStatus("web", [{ object: "secret/db-pass", version: NEW, since: 100, expires: 9_000 }]);
    const { code, object } = await whereIs([only, known, mounted(), files(OLD, 40)], "secret/db-pass");
    assert.deepEqual([code, object.containers[0].state, object.current.version, object.expires], [1, "old", NEW, "2023-11-01T02:30:00Z"]);
  });

  test("R18-3: are not judged by what the worker knows of the vault that the class named before its edit", async () => {
    const only = usedClass("web", { objects: ["secret/db-pass"] });
    const known = mountedStatus("web", [{ object: "secret/db-pass", version: NEW, since: 100, vault: "https://old-kv.vault.azure.net" }]);
    const { code, object } = await whereIs([only, known, mounted(), files(OLD, 40)], "secret/db-pass");
    assert.deepEqual([code, object.current.version], [0, OLD]);
  });

  test("N6: of the older version stay old where somebody labels the driver's record of them", async () => {
    const labelled = labelledAt(files(OLD, 40), 5_000);
    const { object } = await whereIs([CLASS, SECRET, STATUS, mounted(), labelled], "secret/db-pass");
    const [use] = object.containers;
    assert.deepEqual(
      [object.current.version, object.secrets[0].state, use.state, use.since],
      [NEW, "current", "old", "2023-11-01T00:00:40Z"],
    );
  });

  test("N6: of the older version stay old where only pods have the class, and the record is labelled", async () => {
    const only = usedClass("web", { objects: ["secret/db-pass"] });
    const later = [
      usedPod("web-2", { started: 1, container: byMount(), volumes: [classVolume("web")] }),
      usedPodStatus("web-2", { className: "web", versions: { "secret/db-pass": NEW }, writtenAt: 300 }),
    ];
    const { object } = await whereIs([only, mounted(), labelledAt(files(OLD, 40), 5_000), ...later], "secret/db-pass");
    assert.equal(object.current.version, NEW);
  });

  test("of a class without Secrets tell the newest version by when they were written", async () => {
    const only = usedClass("web", { objects: ["secret/db-pass"] });
    const later = [
      usedPod("web-2", { started: 1, container: byMount(), volumes: [classVolume("web")] }),
      usedPodStatus("web-2", { className: "web", versions: { "secret/db-pass": NEW }, writtenAt: 300 }),
    ];
    const { object } = await whereIs([only, mounted(), files(OLD, 40), ...later], "secret/db-pass");
    assert.deepEqual(
      object.containers.map(({ pod, state }: Record<string, string>) => [pod, state]),
      [
        ["web-1", "old"],
        ["web-2", "current"],
      ],
    );
  });
});
