import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { createRolloutMetrics } from "../../src/sync/rollouts/rollout-metrics.ts";
import { createRollouts } from "../../src/sync/rollouts/rollouts.ts";
import { classOf, type Leader, SimulatedWorld } from "../support/simulation/world.ts";

const MINUTE = 60_000;
const CLASS = { namespace: "team", name: "files" };
/** With this number of pods, the worker does not cache the pod list of a workload. */
const MANY = 101;

interface DeploymentFacts {
  /** Annotations of the workload itself. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

/** Deployments of one namespace that mount one class, each with many pods. Each list of the pods of a Deployment takes a second. */
class SlowLists {
  readonly world = new SimulatedWorld();
  lists = 0;
  #leader: Leader | undefined;

  constructor() {
    const { cluster, vaults } = this.world;
    vaults.set("db");
    cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } });
    const { spec, ...rest } = classOf({ ...CLASS, objects: ["db"] });
    const { secretObjects: _, ...mounted } = spec ?? {};
    cluster.put(RESOURCES.secretProviderClasses, { ...rest, spec: mounted } as KubeObject);
  }

  deploy(name: string, { annotations = {}, spec = {} }: DeploymentFacts = {}): void {
    const { cluster } = this.world;
    const volume = { name: "v", csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: CLASS.name } } };
    cluster.put(WORKLOADS.Deployment, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace: "team", name, annotations },
      spec: {
        replicas: MANY,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { annotations: { [POD_ANNOTATIONS.restartOnRotation]: "true" } },
          spec: { containers: [{ name }], volumes: [volume] },
        },
        ...spec,
      },
      status: { observedGeneration: 99, replicas: MANY, updatedReplicas: MANY, availableReplicas: MANY },
    } as KubeObject);
    for (let index = 0; index < MANY; index += 1) {
      const metadata = { namespace: "team", name: `${name}-${index}`, labels: { app: name } };
      cluster.put(RESOURCES.pods, { apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running" } } as KubeObject);
    }
  }

  /** Rotates the object in the vault after the worker has observed everything. */
  async rotate(filesGraceMs = 0): Promise<void> {
    const { cluster, clock, logger, vaults } = this.world;
    const rollouts = createRollouts({
      settings: {
        mostAtATime: 1,
        timeoutMs: 10 * MINUTE,
        filesGraceMs,
        controls: { mode: "act", window: { kind: "always" } },
        mostInCluster: 9_999,
        respectsBudgets: false,
        watchesArgo: false,
      },
      watcher: cluster.watcher,
      metrics: createRolloutMetrics(new Registry()),
      clock,
      logger,
      random: () => 0.5,
    });
    this.#leader = this.world.lead({ rollouts });
    await clock.advance(200_000);
    assert.match(this.rotated, /^True/);
    cluster.latency = ({ verb, resource }) => {
      if (verb !== "list" || resource.plural !== "pods") return 0;
      this.lists += 1;
      return 1_000;
    };
    vaults.set("db");
    // By then, the worker has queried the vault.
    for (let waited = 0; this.lists === 0 && waited < 600; waited += 1) await clock.advance(1_000);
    assert.ok(this.lists > 0, "no pods were listed");
  }

  isRestarted(name: string): boolean {
    const live = this.world.cluster.get<KubeObject>(WORKLOADS.Deployment, { namespace: "team", name });
    const { template } = (live as KubeObject & { readonly spec: { readonly template: KubeObject } }).spec;
    return template.metadata.annotations?.[POD_ANNOTATIONS.rotated] !== undefined;
  }

  /** Writes an unrelated annotation of the Deployment. */
  touch(name: string): void {
    const live = this.world.cluster.get<KubeObject>(WORKLOADS.Deployment, { namespace: "team", name });
    assert.ok(live);
    const metadata = { ...live.metadata, annotations: { ...live.metadata.annotations, touched: String(this.world.clock.now()) } };
    this.world.cluster.put(WORKLOADS.Deployment, { ...live, metadata });
  }

  complete(name: string): void {
    const live = this.world.cluster.get<KubeObject>(WORKLOADS.Deployment, { namespace: "team", name });
    assert.ok(live);
    const status = { observedGeneration: live.metadata.generation, replicas: MANY, updatedReplicas: MANY, availableReplicas: MANY };
    this.world.cluster.put(WORKLOADS.Deployment, { ...live, status } as KubeObject);
  }

  get rotated(): string {
    const found = this.world.status(CLASS)?.conditions.find(({ type }) => type === "Rotated");
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  }

  async stop(): Promise<void> {
    await this.#leader?.stop();
  }
}

describe("RC-3: workloads whose pods take more than a look's turn to be listed", () => {
  let slow: SlowLists;
  afterEach(() => slow.stop());
  const paused = { annotations: { [RESTART_ANNOTATIONS.paused]: "true" } };
  const held = Array.from({ length: 6 }, (_, index) => `held-${index}`);

  test("keep no other one from its restart while they are paused, and their pods are not listed over and over", async () => {
    slow = new SlowLists();
    for (const name of held) slow.deploy(name, paused);
    slow.deploy("wanted");
    await slow.rotate();
    await slow.world.clock.advance(MINUTE);
    assert.ok(slow.isRestarted("wanted"));
    const { lists } = slow;
    assert.ok(lists <= 2 * (held.length + 1), `${lists} lists`);
    for (const name of held) assert.ok(!slow.isRestarted(name), name);

    await slow.world.clock.advance(5 * MINUTE);
    assert.equal(slow.lists, lists, "nothing has changed");
  });

  for (const [what, facts] of [
    ["are paused", paused],
    ["have to be restarted by hand", { spec: { paused: true } }],
  ] as const) {
    test(`keep no other one from its restart while they ${what} and change all the time`, async () => {
      slow = new SlowLists();
      for (const name of held) slow.deploy(name, facts);
      slow.deploy("wanted");
      await slow.rotate();
      for (let second = 0; second < 60; second += 1) {
        for (const name of held) slow.touch(name);
        await slow.world.clock.advance(1_000);
      }
      assert.ok(slow.isRestarted("wanted"));
      for (const name of held) assert.ok(!slow.isRestarted(name), name);
    });
  }

  test("are each told once that they wait for their files, and then have their turn", async () => {
    slow = new SlowLists();
    const names = Array.from({ length: 12 }, (_, index) => `web-${index}`);
    for (const name of names) slow.deploy(name);
    await slow.rotate(10 * MINUTE);
    await slow.world.clock.advance(5 * MINUTE);
    assert.ok(slow.lists <= 2 * names.length, `${slow.lists} lists`);
    for (const name of names) assert.equal(slow.world.events.filter((each) => each.regarding.metadata.name === name).length, 1, name);
    await slow.world.clock.advance(10 * MINUTE);
    for (const name of names.toSorted()) {
      assert.ok(slow.isRestarted(name), name);
      slow.complete(name);
      await slow.world.clock.advance(MINUTE);
    }
    assert.match(slow.rotated, /^True/);
  });
});
