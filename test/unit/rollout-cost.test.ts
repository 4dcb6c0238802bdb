import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Cron } from "croner";
import { POD_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { exhaustedBudget, observeBudget } from "../../src/domain/rollout/budget.ts";
import { usesOf } from "../../src/domain/rollout/uses.ts";
import { versionsFor } from "../../src/domain/rollout/versions.ts";
import type { Workload } from "../../src/domain/rollout/workload.ts";
import { parseWindow, type RestartWindow, windowAt } from "../../src/domain/schedule/restart-window.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import { Breaths } from "../../src/runtime/breaths.ts";
import type { AskingWorkload } from "../../src/sync/rollouts/asking.ts";
import type { RolloutContext } from "../../src/sync/rollouts/rollout-context.ts";
import { holdsOf, openRequestOf, windowWait } from "../../src/sync/rollouts/rollout-holds.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import { judgeAll } from "../../src/sync/rollouts/rollout-namespace.ts";
import { usersByClass } from "../../src/sync/rollouts/rollout-report.ts";
import { namespaceSecrets, VersionTimes } from "../../src/sync/rollouts/rollout-versions.ts";
import { podsFor, type RolloutWriter } from "../../src/sync/rollouts/rollout-write.ts";
import { workload } from "../support/worker/observed-workload.ts";

const { restartOnRotation, restartWindow, secretProviderClass, inject } = POD_ANNOTATIONS;
const HOUR = 3_600_000;

function windowOf(text: string): RestartWindow {
  const window = parseWindow(text);
  assert.ok(window.ok);
  return window.value;
}

/** Number of event loop turns that other work gets during `work`. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

describe("A18-2: a restart window", () => {
  const times = Array.from({ length: 60 }, (_, index) => Date.UTC(2026, 9, 24) + index * 47 * 60_000);
  const texts = [
    "0 22 * * MON-FRI for 4h in Europe/Berlin",
    "0 3 * * * for 1h; 0 3 * * * for 2h; 0 1 * * * for 30m",
    "0 0 * 2 SAT#5 for 1m in Pacific/Apia",
  ];
  for (const text of texts) {
    test(`says the same whether it was asked before or not, also by a clock that goes back: ${text}`, () => {
      const asked = windowOf(text);
      // A new window object, without remembered times.
      for (const now of [...times, ...times.toReversed()]) assert.deepEqual(windowAt(asked, now), windowAt(windowOf(text), now));
    });
  }

  test("is walked once until it closes", (t) => {
    const walks = t.mock.method(Cron.prototype, "nextRun").mock;
    const window = windowOf("0 22 * * * for 4h");
    const at = (hour: number) => windowAt(window, Date.UTC(2026, 10, 30, hour)).isOpen;
    assert.deepEqual([3, 20, 22, 23, 25].map(at), [false, false, true, true, true]);
    assert.equal(walks.callCount(), 1);
    assert.equal(at(26), false);
    assert.equal(walks.callCount(), 2);
  });

  test("of many workloads leaves turns to everything else in the middle of a look", async () => {
    const turns = await turnsDuring(() =>
      holdsOf(
        context,
        dueOnes((index) => `${index % 60} 4 * * * for 1m`),
        new Breaths(),
      ),
    );

    assert.ok(turns >= 20, `${turns} turns`);
  });
});

/** The context of a reconcile that reads nothing else. */
const context = {
  settings: { controls: { mode: "act", window: { kind: "always" } } },
  workloads: { defaultsOf: () => ({}) },
  worker: { clock: { now: () => Date.UTC(2026, 10, 30) } },
} as unknown as RolloutContext; // The code reads nothing else.

const dueOnes = (window: (index: number) => string): readonly AskingWorkload[] =>
  Array.from({ length: 100 }, (_, index) => ({
    workload: workload({ name: `w${index}`, annotations: { [restartOnRotation]: "true", [restartWindow]: window(index) } }),
    slotMs: 0,
    uses: { asksForRestarts: true, classes: [], secrets: [] },
    versions: { kind: "none", why: "" },
    standing: { kind: "due", stamp: "a", turn: "ready", since: 1 },
  }));

describe("AT20-6: seven times that come once in decades", () => {
  const days = ["THU#5", "SAT#5", "FRI#5", "MON#5", "TUE#5", "WED#5", "SUN#5"];
  const rare = (zone: string): string => days.map((day, index) => `${index} 0 * 2 ${day} for 1m in ${zone}`).join(";");

  test("are walked once each, however often they are asked for, and whoever writes them", async (t) => {
    const walks = t.mock.method(Cron.prototype, "nextRun").mock;
    // Each write of a workload's status produces new objects.
    for (let check = 0; check < 3; check += 1)
      await holdsOf(
        context,
        dueOnes(() => rare("America/Nuuk")),
        new Breaths(),
      );

    assert.equal(walks.callCount(), days.length);
  });

  test("are counted as seven by a look, which leaves a turn to everything else after each workload", async () => {
    const turns = await turnsDuring(() =>
      holdsOf(
        context,
        dueOnes(() => rare("America/Nome")),
        new Breaths(),
      ),
    );
    assert.ok(turns >= 100, `${turns} turns`);
  });

  test("leave as many turns where the next look is chosen", async () => {
    const turns = await turnsDuring(async () =>
      windowWait(
        context,
        dueOnes(() => rare("Asia/Tokyo")),
        new Breaths(),
      ),
    );
    assert.ok(turns >= 100, `${turns} turns`);
  });

  test("are not read where only a request is asked for", (t) => {
    const reads = t.mock.method(RegExp.prototype, "exec").mock;
    for (const { workload: each } of dueOnes(() => rare("Asia/Seoul"))) openRequestOf(context, each);
    assert.equal(reads.callCount(), 0);
  });
});

const CLASSES: readonly SecretProviderClass[] = ["a", "b"].map((name) => ({
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { namespace: "team", name, generation: 1 },
  spec: {
    provider: "azure",
    secretObjects: Array.from({ length: 100 }, (_, index) => ({ secretName: `${name}-${index}`, type: "Opaque", data: [] })),
  },
}));

/** The Secrets of the classes, and the number of reads. */
function secretsOf(objectsEach: number) {
  let reads = 0;
  const get = ({ name }: { readonly name: string }) => {
    reads++;
    const objects = Array.from({ length: objectsEach }, (_, index) => `secret/${name}-${index}@1`).join(",");
    const secret = { ref: { namespace: "team", name }, annotations: { [SECRET_ANNOTATIONS.objects]: objects }, writtenAt: 1, createdAt: 1 };
    return secret as unknown as ObservedSecret; // The code reads nothing else.
  };
  return { get, reads: () => reads };
}

function judged(secrets: ReturnType<typeof secretsOf>, watched: readonly Workload[]) {
  const context = {
    worker: {
      live: { classes: { list: () => CLASSES }, secrets, statuses: { get: () => undefined } },
      isSwitchedOff: () => false,
      clock: { now: () => HOUR },
    },
    workloads: { defaultsOf: () => ({}) },
    versions: { times: new VersionTimes() },
    memory: new RolloutMemory(),
    settings: { timeoutMs: HOUR },
  } as unknown as RolloutContext; // The code reads nothing else.
  return judgeAll(context, "team", { watched, breaths: new Breaths() });
}

describe("A18-3: the versions of the workloads of a namespace", () => {
  const using = (count: number, classes: string) =>
    Array.from({ length: count }, (_, index) =>
      workload({ name: `w${index}`, annotations: { [restartOnRotation]: "true", [inject]: "true", [secretProviderClass]: classes } }),
    );

  test("are read once for each Secret, however many workloads use it", async () => {
    const secrets = secretsOf(3);
    const asking = await judged(secrets, [...using(50, "a,b"), ...using(50, "a")]);

    assert.equal(secrets.reads(), 200);
    assert.deepEqual(
      [...new Set(asking.map(({ versions }) => (versions.kind === "known" ? versions.objects.length : versions.why)))],
      [600, 300],
    );
    const [first, second] = asking;
    assert.equal(first?.versions, second?.versions, "put together once");
  });

  test("leave turns to everything else in the middle of a look", async () => {
    const turns = await turnsDuring(() => judged(secretsOf(20), using(100, "a")));

    assert.ok(turns >= 50, `${turns} turns`);
  });

  test("are not followed where one workload uses more than a look can go through", () => {
    const known = (objectsEach: number) =>
      namespaceSecrets({
        namespace: "team",
        classes: CLASSES,
        secrets: secretsOf(objectsEach) as never,
        times: new VersionTimes(),
        mounts: { statuses: { get: () => undefined }, isSwitchedOff: () => false },
        now: HOUR,
      });
    const uses = { asksForRestarts: true, classes: ["a", "b"], secrets: [] };

    assert.equal(versionsFor(uses, known(20)).kind, "known");
    assert.deepEqual(versionsFor(uses, known(21)), {
      kind: "none",
      why: "it uses more than 4000 objects, which is too many to track versions for",
    });
    const many = { ...uses, secrets: Array.from({ length: 1_000 }, (_, index) => `s${index}`) };
    assert.match(JSON.stringify(versionsFor(many, known(1))), /more than 1000 classes and Secrets/);
  });
});

describe("A18-14: who uses a class", () => {
  test("is told of the classes that are there, whatever templates name", async () => {
    const names = Array.from({ length: 900 }, (_, index) => `none-${index}`).join(",");
    const annotations = { [restartOnRotation]: "true", [inject]: "true", [secretProviderClass]: `a,${names}` };
    const watched = Array.from({ length: 20 }, (_, index) => workload({ name: `w${index}`, annotations }));
    const asking = await judged(secretsOf(1), watched);

    const users = usersByClass({ secrets: { get: () => undefined }, classes: CLASSES }, "team", asking);

    assert.deepEqual(
      [...users].map(([name, ofClass]) => [name, ofClass.length]),
      [["a", 20]],
    );
  });

  test("leaves out names beyond a thousand, those of a Namespace among them", () => {
    const defaults = { [secretProviderClass]: Array.from({ length: 20_000 }, (_, index) => `c${index}`).join(",") };
    const uses = usesOf(workload({ annotations: { [restartOnRotation]: "true", [inject]: "true" } }), defaults);

    assert.equal(uses.classes.length, 1_001);
    assert.equal(usesOf(workload(), defaults).classes.length, 0);
  });
});

describe("A18-13: what a workload uses", () => {
  test("is read once for each of its states and of its Namespace's", () => {
    const annotations = { [restartOnRotation]: "true", [inject]: "true" };
    const [one, defaults] = [workload({ annotations }), { [secretProviderClass]: "a" }];

    assert.equal(usesOf(one, defaults), usesOf(one, defaults));
    assert.deepEqual(usesOf(one, {}).classes, []);
    assert.deepEqual(usesOf(workload({ annotations }), defaults).classes, ["a"]);
  });
});

describe("A18-11: the pods of a workload", () => {
  for (const [count, lists] of [
    [100, 1],
    [101, 2],
  ] as const) {
    test(`are kept between looks where there are few of them: ${count}`, async () => {
      let asked = 0;
      const list = async () => {
        asked++;
        return Array.from({ length: count }, (_, index) => ({ name: `pod-${index}` }));
      };
      const writer = { kube: { list }, memory: new RolloutMemory(), isDryRun: false } as unknown as RolloutWriter; // The code makes no other calls.
      for (const _ of [1, 2]) {
        const pods = await podsFor(writer, workload(), new AbortController().signal);
        assert.equal(pods.ok && pods.value.length, count);
      }
      assert.equal(asked, lists);
    });
  }
});

describe("A18-6: what is kept of a workload, or of a PodDisruptionBudget,", () => {
  const labels = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`example.com/label-${index}`, "v".repeat(50)]));
  const withLabels = (count: number) =>
    workload({
      spec: { template: { metadata: { annotations: { [restartOnRotation]: "true" }, labels: labels(count) }, spec: {} }, selector: {} },
    });

  test("is bounded: of one that has more nothing is kept, and it says so", async () => {
    const [small, large] = [withLabels(100), withLabels(1_000)];

    assert.deepEqual([small.isTooLarge, Object.keys(small.labels).length], [false, 100]);
    assert.equal(large.isTooLarge, true);
    assert.ok(JSON.stringify(large).length < 2_000);
    const [asking] = await judged(secretsOf(1), [large]);
    assert.equal(asking?.standing.kind, "noVersions");
    assert.match(JSON.stringify(asking?.standing), /more than 32768 characters in total/);
  });

  test("is no selector that is longer than any: its budget is taken to cover every pod, and allows no restart", () => {
    const budget = (count: number) =>
      observeBudget(
        Object.assign(
          { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "pdb", generation: 1 } },
          { spec: { selector: { matchLabels: labels(count) } } },
          { status: { observedGeneration: 1, expectedPods: 3, disruptionsAllowed: 1 } },
        ),
      );
    const exhausted = (count: number) => exhaustedBudget({ workload: { labels: {} }, budgets: [budget(count)], taken: new Set() });

    assert.equal(exhausted(10), undefined);
    assert.deepEqual(exhausted(100), { name: "pdb", why: "tooLarge" });
  });
});
