import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { PREFIX } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES, type Resource } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { parseWindow } from "../../src/domain/schedule/restart-window.ts";
import { refusal } from "../support/simulation/cluster.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";
const NOON = Date.UTC(2026, 10, 30, 12);

let restarts: Restarts;
afterEach(() => restarts.stop());

/** Its Namespace, with that word on it. */
function annotateTeam(values: Readonly<Record<string, string>>): void {
  const annotations = Object.fromEntries(Object.entries(values).map(([key, value]) => [`${PREFIX}/${key}`, value]));
  restarts.world.cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: TEAM, annotations } });
}

describe("R18-20: a look that writes one workload after the other, each for ten seconds", () => {
  const NAMES = ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"];

  async function slowly(settings: ConstructorParameters<typeof Restarts>[0] = {}): Promise<void> {
    restarts = new Restarts(settings);
    await restarts.pass(NOON - 10 * MINUTE - restarts.world.clock.now());
    restarts.team(TEAM);
    for (const name of NAMES) {
      restarts.deploy(TEAM, name);
      const conditions = [{ type: "Progressing", reason: "ProgressDeadlineExceeded" }];
      restarts.report(TEAM, name, { replicas: 1, updatedReplicas: 1, availableReplicas: 0, conditions });
    }
    await restarts.lead();
    restarts.world.cluster.latency = ({ verb }) => (verb === "patch" ? 10_000 : 0);
  }

  const restarted = (): readonly string[] => NAMES.filter((name) => restarts.stamp(TEAM, name) !== undefined);

  async function untilTwo(): Promise<void> {
    for (let second = 0; restarted().length < 2 && second < 1_000; second += 1) await restarts.pass(1_000);
    assert.equal(restarted().length, 2);
  }

  test("begins no restart after its Namespace was paused, and the rest when it is not any more", async () => {
    await slowly();
    await restarts.rotate(TEAM);
    await untilTwo();
    annotateTeam({ "restart-paused": "true" });
    await restarts.pass(5 * MINUTE);
    // The one whose write was under way.
    assert.ok(restarted().length <= 3, restarted().join());
    assert.match(restarts.events(TEAM, "w7").join(), /RestartsPaused/);
    annotateTeam({});
    await restarts.pass(5 * MINUTE);
    assert.deepEqual(restarted(), NAMES);
  });

  test("begins no restart after the window has closed", async () => {
    const window = parseWindow("0 12 * * * for 1m");
    assert.ok(window.ok);
    await slowly({ controls: { mode: "act", window: window.value } });
    await restarts.rotate(TEAM);
    await restarts.pass(NOON - restarts.world.clock.now());
    await untilTwo();
    await restarts.pass(NOON + 1 * MINUTE - restarts.world.clock.now());
    const atItsEnd = restarted().length;
    await restarts.pass(10 * MINUTE);
    assert.ok(restarted().length <= atItsEnd + 1, restarted().join());
    assert.match(restarts.events(TEAM, "w7").join(), /WindowClosed/);
  });
});

describe("R18-21: a copy whose watch is broken", () => {
  const budget = (disruptionsAllowed: number): KubeObject & Record<string, unknown> => ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { namespace: TEAM, name: "web" },
    spec: { selector: { matchLabels: { app: "web" } } },
    status: { observedGeneration: 1, expectedPods: 1, disruptionsAllowed },
  });

  /** A Deployment `web` under a budget that allows a disruption. */
  async function leading(): Promise<void> {
    restarts = new Restarts({ respectsBudgets: true });
    await restarts.pass(NOON - restarts.world.clock.now());
    restarts.team(TEAM);
    restarts.deploy(TEAM, "web");
    const { spec, ...live } = restarts.live(TEAM, "web") as KubeObject & { readonly spec: { readonly template: KubeObject } };
    const template = { ...spec.template, metadata: { ...spec.template.metadata, labels: { app: "web" } } };
    restarts.world.cluster.put(WORKLOADS.Deployment, { ...live, spec: { ...spec, template } } as KubeObject);
    restarts.report(TEAM, "web", { replicas: 1, updatedReplicas: 1, availableReplicas: 1 });
    restarts.world.cluster.put(RESOURCES.podDisruptionBudgets, budget(1));
    await restarts.lead();
  }

  const cases: readonly (readonly [string, Resource, () => void, RegExp, () => void])[] = [
    [
      "of PodDisruptionBudgets",
      RESOURCES.podDisruptionBudgets,
      () => restarts.world.cluster.put(RESOURCES.podDisruptionBudgets, budget(0)),
      /^False DisruptionBudget: .*PodDisruptionBudget web/,
      () => restarts.world.cluster.put(RESOURCES.podDisruptionBudgets, budget(1)),
    ],
    [
      "of Namespaces",
      RESOURCES.namespaces,
      () => annotateTeam({ "restart-paused": "true" }),
      /^False RestartsPaused/,
      () => annotateTeam({}),
    ],
  ];
  for (const [what, resource, hold, reported, release] of cases) {
    test(`${what} does not decide: the API server is asked before a restart, and again`, async () => {
      await leading();
      const mend = restarts.world.cluster.cutWatches(resource);
      hold();
      await restarts.pass(15 * MINUTE);
      await restarts.rotate(TEAM);
      assert.equal(restarts.stamp(TEAM, "web"), undefined);
      assert.match(restarts.rotated(TEAM), reported);
      release();
      await restarts.pass(MINUTE);
      assert.notEqual(restarts.stamp(TEAM, "web"), undefined, "nobody asked again");
      mend();
    });
  }

  test("and an answer that does not come holds the restart, and says so", async () => {
    await leading();
    restarts.world.cluster.fault = ({ verb, resource }) =>
      verb === "list" && resource.plural === "namespaces" ? refusal("Unavailable", 500) : undefined;
    await restarts.rotate(TEAM);
    await restarts.pass(MINUTE);
    assert.equal(restarts.stamp(TEAM, "web"), undefined);
    assert.match(restarts.rotated(TEAM), /^False RestartBlocked/);
    restarts.world.cluster.fault = () => undefined;
    await restarts.pass(2 * MINUTE);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined);
  });
});
