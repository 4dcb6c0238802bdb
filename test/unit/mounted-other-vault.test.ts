import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { parseWindow } from "../../src/domain/rollout/window.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload.ts";
import { createRolloutMetrics } from "../../src/sync/rollouts/rollout-metrics.ts";
import { createRollouts } from "../../src/sync/rollouts/rollouts.ts";
import { classOf, type Leader, SimulatedWorld } from "../support/simulation/world.ts";
import { ListedVaults } from "../support/worker/listed-vault.ts";

const CLASS = { namespace: "team", name: "files" };
const WEB = { namespace: "team", name: "web" };
const MINUTE = 60_000;

/** A Deployment `web` that mounts the class `files`, which makes no Secret, and two vaults that got its object in the same second. */
class MountedWorld {
  readonly world = new SimulatedWorld();
  readonly one = new ListedVaults(this.world.clock);
  readonly two = new ListedVaults(this.world.clock);
  readonly #leader: Leader;

  constructor() {
    const { cluster, clock, logger } = this.world;
    // So that no version of the one is called as one of the other.
    this.two.set("another");
    for (const vault of [this.one, this.two]) vault.set("db");
    cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } });
    cluster.put(WORKLOADS.Deployment, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: WEB,
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { annotations: { "keyvault-injector.dev/restart-on-rotation": "true" } },
          spec: {
            containers: [{ name: "web" }],
            volumes: [{ name: "v", csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "files" } } }],
          },
        },
      },
      status: { observedGeneration: 99, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
    } as KubeObject);
    const settings = {
      mostAtATime: 1,
      timeoutMs: 600_000,
      filesGraceMs: 0,
      controls: { mode: "act", window: valueOf(parseWindow("always")) },
      mostInCluster: 9_999,
      respectsBudgets: false,
      watchesArgo: false,
    } as const;
    const metrics = createRolloutMetrics(new Registry());
    const rollouts = createRollouts({ settings, watcher: cluster.watcher, metrics, clock, logger, random: () => 0.5 });
    const vaults: Pick<ListedVaults, "clientFor"> = {
      clientFor: (address, ...rest) => (address.vaultUrl.includes("vault-1") ? this.one : this.two).clientFor(address, ...rest),
    };
    this.#leader = this.world.lead({ rollouts, vaults });
  }

  stop = async (): Promise<void> => this.#leader.stop();

  /** Applies the class. */
  name(vault: string, version?: string): void {
    const { spec, ...rest } = classOf({ ...CLASS, objects: ["db"], vault });
    const { secretObjects: _, parameters = {}, ...mounted } = spec ?? {};
    const pin = version === undefined ? "" : `    objectVersion: ${version}\n`;
    const objects = `${parameters["objects"] ?? ""}${pin}`;
    this.world.cluster.put(RESOURCES.secretProviderClasses, {
      ...rest,
      spec: { ...mounted, parameters: { ...parameters, objects } },
    } as KubeObject);
  }

  /** Its pod is made anew. */
  pod(): void {
    const metadata = { namespace: "team", name: "web-1", labels: { app: "web" } };
    this.world.cluster.put(RESOURCES.pods, { apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running" } } as KubeObject);
  }

  pass = async (milliseconds: number): Promise<void> => this.world.clock.advance(milliseconds);

  /** Of the class: the version of its object, and whether it is ready. */
  get says(): readonly (string | undefined)[] {
    const [object] = this.world.status(CLASS)?.objects ?? [];
    return [object?.version, object?.state, this.world.condition(CLASS, "Ready"), this.world.condition(CLASS, "Fresh")];
  }

  /** What the template was last restarted for; undefined: never. */
  get restartedFor(): unknown {
    const live = this.world.cluster.get(WORKLOADS.Deployment, WEB) as { readonly spec?: { readonly template?: KubeObject } } | undefined;
    return live?.spec?.template?.metadata.annotations?.["keyvault-injector.dev/rotated"];
  }
}

function valueOf<T>(parsed: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  assert.ok(parsed.ok);
  return parsed.value;
}

describe("a class that is only mounted, and names another vault from now on", () => {
  let mounted: MountedWorld;
  beforeEach(() => {
    mounted = new MountedWorld();
  });
  afterEach(() => mounted.stop());

  /** The class is followed, and the pod is younger than the versions of both vaults. */
  async function follow(version?: string): Promise<void> {
    await mounted.pass(MINUTE);
    mounted.name("vault-1", version);
    mounted.pod();
    await mounted.pass(10 * MINUTE);
    assert.deepEqual(mounted.says, ["v1", undefined, "True Synced", "True Synced"]);
    assert.equal(mounted.restartedFor, undefined);
  }

  const silence = (): VaultError => new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });

  test("R18-3: is not called ready by what was stored of the first one, before the second has answered", async () => {
    await follow("v1");
    mounted.two.failure = silence;
    mounted.name("vault-2", "v1");
    await mounted.pass(MINUTE);
    assert.deepEqual(mounted.says, ["v1", "Unreachable", "False Unreachable", "False Unreachable"]);

    mounted.two.failure = undefined;
    await mounted.pass(10 * MINUTE);
    assert.deepEqual(mounted.says.slice(1), ["ObjectNotFound", "False ObjectNotFound", "False ObjectNotFound"]);
  });

  test("R18-3: takes no list of the second for one of the first, and the workload is restarted", async () => {
    await follow();
    mounted.two.failure = silence;
    mounted.name("vault-2");
    await mounted.pass(MINUTE);
    assert.equal(mounted.says[1], "Unreachable");

    mounted.two.failure = undefined;
    await mounted.pass(10 * MINUTE);
    assert.deepEqual(mounted.says, ["v2", undefined, "True Synced", "True Synced"]);
    assert.notEqual(mounted.restartedFor, undefined);
  });

  test("R18-4: restarts the workload also where the class was deleted and made anew, at the same generation", async () => {
    await follow();
    mounted.world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    mounted.name("vault-2");
    await mounted.pass(10 * MINUTE);

    assert.deepEqual(mounted.says, ["v2", undefined, "True Synced", "True Synced"]);
    assert.notEqual(mounted.restartedFor, undefined);
  });

  test("restarts nothing where it is made anew and names the same vault", async () => {
    await follow();
    mounted.world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    mounted.name("vault-1");
    await mounted.pass(10 * MINUTE);

    assert.deepEqual([mounted.says[0], mounted.restartedFor], ["v1", undefined]);
  });
});
