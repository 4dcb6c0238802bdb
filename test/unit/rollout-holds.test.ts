import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Registry } from "prom-client";
import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { RestartMode } from "../../src/domain/rollout/controls.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { parseWindow } from "../../src/domain/schedule/restart-window.ts";
import { createRolloutMetrics } from "../../src/sync/rollouts/rollout-metrics.ts";
import { createRollouts } from "../../src/sync/rollouts/rollouts.ts";
import { type Leader, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
const WEB = { namespace: "team", name: "web" };
const HOUR = 3_600_000;

interface Reported {
  readonly mode?: RestartMode;
  readonly clusterWindow?: string;
  /** Annotations of the workload, of its template, and of its Namespace, without the prefix. */
  readonly own?: Readonly<Record<string, string>>;
  readonly template?: Readonly<Record<string, string>>;
  readonly namespace?: Readonly<Record<string, string>>;
}

const prefixed = (values: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`keyvault-injector.dev/${key}`, value]));

/** A Deployment `web` that asks for restarts, with one pod that is older than every rotation of its Secret. */
class RestartWorld {
  readonly world = new SimulatedWorld();
  readonly #told: Reported;
  #leader: Leader | undefined;
  #registry = new Registry();

  constructor(reported: Reported) {
    this.#told = reported;
  }

  /** Starts at an hour of 2026-11-30, a Monday, UTC. */
  async start(hour: number): Promise<void> {
    const { clock, cluster, vaults } = this.world;
    await clock.advance(Date.UTC(2026, 10, 30, hour) - clock.now());
    vaults.set("db");
    this.world.apply({ ...CLASS, objects: ["db"] });
    const metadata = { name: "team", annotations: prefixed(this.#told.namespace) };
    cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata });
    cluster.put(WORKLOADS.Deployment, deployment(this.#told));
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...WEB, name: "web-1", labels: { app: "web" } },
      status: { phase: "Running" },
    };
    cluster.put(RESOURCES.pods, pod);
    this.lead();
    await clock.advance(10_000);
  }

  lead(): void {
    const { clock, cluster, logger } = this.world;
    this.#registry = new Registry();
    const window = parseWindow(this.#told.clusterWindow ?? "always");
    assert.ok(window.ok);
    const controls = { mode: this.#told.mode ?? "act", window: window.value };
    const settings = {
      mostAtATime: 1,
      timeoutMs: 600_000,
      filesGraceMs: 600_000,
      controls,
      mostInCluster: 9_999,
      respectsBudgets: false,
      watchesArgo: false,
    };
    const metrics = createRolloutMetrics(this.#registry);
    const rollouts = createRollouts({ settings, watcher: cluster.watcher, metrics, clock, logger, random: () => 0.5 });
    this.#leader = this.world.lead({ rollouts });
  }

  /** Makes another process the leader. It knows only the stored state. */
  async changeLeader(): Promise<void> {
    await this.#leader?.stop();
    this.lead();
    await this.world.clock.advance(10_000);
  }

  stop = async (): Promise<void> => this.#leader?.stop();

  /** Sets a new version in the vault, and syncs it to the Secret at once. */
  async rotate(): Promise<void> {
    this.world.vaults.set("db");
    const refresh = { "keyvault-injector.dev/refresh": String(this.world.clock.now()) };
    this.world.apply({ ...CLASS, objects: ["db"], annotations: refresh });
    await this.world.clock.advance(15_000);
  }

  async annotate(values: Readonly<Record<string, string>>): Promise<void> {
    const live = this.live();
    const annotations = { ...live.metadata.annotations, ...prefixed(values) };
    this.world.cluster.put(WORKLOADS.Deployment, { ...live, metadata: { ...live.metadata, annotations } });
    await this.world.clock.advance(15_000);
  }

  live(): KubeObject {
    const found = this.world.cluster.get<KubeObject>(WORKLOADS.Deployment, WEB);
    assert.ok(found);
    return found;
  }

  isRestarted(): boolean {
    return JSON.stringify(this.live()).match(/"template":\{"metadata":\{"annotations":\{[^}]*\/rotated"/) !== null;
  }

  condition(): string {
    const found = this.world.status(CLASS)?.conditions.find(({ type }) => type === "Rotated");
    return found === undefined ? "none" : `${found.reason}: ${found.message}`;
  }

  events(reason: string): readonly string[] {
    return this.world.events.filter((event) => event.reason === reason).map(({ message }) => message);
  }

  /** Value of the metric for this cause. */
  async held(cause: string): Promise<string | undefined> {
    return new RegExp(`rollouts_held\\{cause="${cause}"\\} (\\d+)`).exec(await this.#registry.metrics())?.[1];
  }
}

function deployment({ own, template }: Reported): KubeObject {
  const annotations = { [POD_ANNOTATIONS.restartOnRotation]: "true", ...prefixed(template) };
  const container = { name: "web", envFrom: [{ secretRef: { name: "app-db" } }] };
  const made = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...WEB, annotations: prefixed(own) },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { annotations }, spec: { containers: [container] } },
    },
    status: { observedGeneration: 99, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
  return made;
}

async function rotated(reported: Reported, hour = 12): Promise<RestartWorld> {
  const restarts = new RestartWorld(reported);
  await restarts.start(hour);
  await restarts.rotate();
  return restarts;
}

const NIGHT = "0 22 * * * for 4h in Europe/Berlin";

describe("a workload with a restart window", () => {
  const places: readonly (readonly [string, Reported])[] = [
    ["on itself", { own: { "restart-window": NIGHT } }],
    ["on its template", { template: { "restart-window": NIGHT } }],
    ["on its Namespace", { namespace: { "restart-window": NIGHT } }],
    ["of the cluster", { clusterWindow: NIGHT }],
    [
      "on itself before all others",
      { own: { "restart-window": NIGHT }, template: { "restart-window": "always" }, clusterWindow: "always" },
    ],
  ];
  for (const [where, reported] of places) {
    test(`${where} waits until it opens, which is told, and is restarted then without a poll`, async () => {
      const restarts = await rotated(reported);

      assert.ok(!restarts.isRestarted());
      assert.deepEqual(restarts.events("WindowClosed").length, 1);
      assert.match(restarts.events("WindowClosed")[0] ?? "", /its restart window opens at 2026-11-30T21:00:00Z/);
      assert.match(
        restarts.condition(),
        /^WindowClosed: Deployment web is not restarted yet: its restart window opens at 2026-11-30T21:00:00Z/,
      );
      assert.equal(await restarts.held("window"), "1");
      await restarts.world.clock.advance(Date.UTC(2026, 10, 30, 21) - restarts.world.clock.now() - 1);
      assert.ok(!restarts.isRestarted(), "a millisecond before");
      await restarts.world.clock.advance(1_000);
      assert.ok(restarts.isRestarted());
      assert.equal(restarts.events("WindowClosed").length, 1, "told once");
      assert.equal(await restarts.held("window"), "0");
      await restarts.stop();
    });
  }

  test("is restarted at once where the window is open", async () => {
    const restarts = await rotated({ own: { "restart-window": NIGHT } }, 22);
    assert.ok(restarts.isRestarted());
    await restarts.stop();
  });

  test("says always where its Namespace has hours", async () => {
    const restarts = await rotated({ own: { "restart-window": "always" }, namespace: { "restart-window": NIGHT } });
    assert.ok(restarts.isRestarted());
    await restarts.stop();
  });

  test("waits for it through changes of the leader", async () => {
    const restarts = await rotated({ own: { "restart-window": NIGHT } });
    for (let hour = 13; hour < 20; hour += 1) {
      await restarts.changeLeader();
      await restarts.world.clock.advance(HOUR);
    }
    assert.ok(!restarts.isRestarted());
    assert.match(restarts.condition(), /^WindowClosed/);
    await restarts.world.clock.advance(Date.UTC(2026, 10, 30, 21) + 1_000 - restarts.world.clock.now());
    assert.ok(restarts.isRestarted());
    await restarts.stop();
  });

  for (const [text, problem] of [
    ["at night", /"at night" is not/],
    ["0 0 30 2 * for 4h", /"0 0 30 2 \*" never occurs/],
  ] as const) {
    test(`that is none is never restarted, and told: ${text}`, async () => {
      const restarts = await rotated({ own: { "restart-window": text } });
      await restarts.changeLeader();
      await restarts.world.clock.advance(48 * HOUR);

      assert.ok(!restarts.isRestarted());
      assert.match(
        restarts.events("InvalidWindow")[0] ?? "",
        /keyvault-injector.dev\/restart-window on the workload is invalid, and prevents restarts until it is corrected/,
      );
      assert.match(restarts.events("InvalidWindow")[0] ?? "", problem);
      assert.match(restarts.condition(), /^InvalidWindow/);
      assert.equal(await restarts.held("invalid_window"), "1");
      await restarts.annotate({ "restart-window": "always" });
      assert.ok(restarts.isRestarted());
      await restarts.stop();
    });
  }
});

describe("a request to restart now", () => {
  test("opens the window once for each value, on the workload or its Namespace", async () => {
    const restarts = await rotated({ own: { "restart-window": NIGHT } });
    assert.ok(!restarts.isRestarted());

    await restarts.annotate({ "restart-now": "1" });

    assert.ok(restarts.isRestarted());
    assert.match(restarts.live().metadata.annotations?.[RESTART_ANNOTATIONS.nowAnswered] ?? "", /^[0-9a-f]{16}$/);
    await restarts.stop();
  });

  test("opens a window that cannot be read, too", async () => {
    const restarts = await rotated({ own: { "restart-window": "at night" } });
    await restarts.annotate({ "restart-now": "1" });
    assert.ok(restarts.isRestarted());
    await restarts.stop();
  });

  test("is over for a workload that has the versions, and opens no window for later ones", async () => {
    const restarts = new RestartWorld({ own: { "restart-window": NIGHT, "restart-now": "1" } });
    await restarts.start(12);
    assert.match(restarts.live().metadata.annotations?.[RESTART_ANNOTATIONS.nowAnswered] ?? "", /^[0-9a-f]{16}$/);
    await restarts.changeLeader();
    await restarts.rotate();

    assert.ok(!restarts.isRestarted());
    await restarts.annotate({ "restart-now": "2" });
    assert.ok(restarts.isRestarted());
    await restarts.stop();
  });

  test("ends no pause", async () => {
    const restarts = await rotated({ own: { "restart-paused": "true", "restart-now": "1" } });
    assert.ok(!restarts.isRestarted());
    await restarts.stop();
  });
});

describe("restarts are paused", () => {
  const places: readonly (readonly [string, Reported, RegExp])[] = [
    ["of a workload", { own: { "restart-paused": "true" } }, /restart-paused on the workload is/],
    ["of a workload, by a value that is none", { own: { "restart-paused": "yes" } }, /restart-paused on the workload is not "false"/],
    [
      "of a Namespace, whatever the workload says",
      { namespace: { "restart-paused": "true" }, own: { "restart-paused": "false" } },
      /on its Namespace/,
    ],
    ["of the cluster", { mode: "paused" }, /--restart-mode is paused/],
  ];
  for (const [what, reported, words] of places) {
    test(`${what}, through a change of the leader`, async () => {
      const restarts = await rotated(reported);
      await restarts.changeLeader();
      await restarts.world.clock.advance(24 * HOUR);

      assert.ok(!restarts.isRestarted());
      assert.match(restarts.events("RestartsPaused")[0] ?? "", words);
      assert.match(restarts.condition(), /^RestartsPaused: Deployment web is not restarted yet/);
      assert.equal(await restarts.held("paused"), "1");
      await restarts.stop();
    });
  }

  test("until somebody resumes them", async () => {
    const restarts = await rotated({ own: { "restart-paused": "true" } });
    assert.ok(!restarts.isRestarted());
    await restarts.annotate({ "restart-paused": "false" });
    assert.ok(restarts.isRestarted());
    await restarts.stop();
  });
});

test("a dry run tells what it would restart, and writes no workload", async () => {
  const restarts = new RestartWorld({ mode: "dry-run", own: { "restart-now": "1" } });
  await restarts.start(12);
  const before = restarts.live().metadata.resourceVersion;
  await restarts.rotate();
  await restarts.changeLeader();

  assert.equal(restarts.live().metadata.resourceVersion, before);
  assert.match(restarts.events("DryRun")[0] ?? "", /it would be restarted/);
  assert.match(restarts.condition(), /^DryRun: Deployment web/);
  assert.equal(await restarts.held("dry_run"), "1");
  await restarts.stop();
});
