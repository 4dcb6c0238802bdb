import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Registry } from "prom-client";
import { INSTALL_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type ComponentCopy, copyOf } from "../../src/domain/healing/component-copy.ts";
import { componentsOf, OWN_DEPLOYMENT } from "../../src/domain/healing/components.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import type { ComponentCopies } from "../../src/sync/healing/component-copies.ts";
import { createComponentMetrics } from "../../src/sync/healing/component-metrics.ts";
import { startComponents } from "../../src/sync/healing/components.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const NAMESPACE = "keyvault-injector";
const LABELS = { "app.kubernetes.io/name": "keyvault-injector" };
const NO_ANSWER = new KubeError("Unavailable", "no answer within 15000 ms", { retry: { kind: "backoff" } });

interface ServiceObject extends KubeObject {
  readonly spec: { readonly sessionAffinity: string };
}

/** An install. The worker has a copy of one Service as it was installed. */
class Install {
  readonly clock = new ManualClock();
  readonly cluster = new SimulatedCluster(this.clock);
  readonly metrics = createComponentMetrics(new Registry());
  readonly stop = new AbortController();
  readonly #service = serviceComponent();
  readonly #worker: KubeObject;

  constructor() {
    const labels = LABELS;
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace: NAMESPACE, name: OWN_DEPLOYMENT, labels } };
    this.#worker = this.cluster.put(WORKLOADS.Deployment, deployment);
    this.mark(false);
    const { resource, ref } = this.#service;
    const spec = { sessionAffinity: "None" };
    const service = { apiVersion: "v1", kind: "Service", metadata: { ...ref, labels }, spec };
    const copy = copyOf(this.#service, this.cluster.put(resource, service));
    const copies = copiesOf(copy);
    const { clock, metrics } = this;
    const { client: kube, watcher } = this.cluster;
    const healing = { crds: [], componentMetrics: metrics, healNodeSide: false, healWebhook: true };
    const process = { clock, events: { emit: () => undefined }, logger: recordingLogger(), random: () => 0.5 };
    const components = startComponents({ kube, watcher, namespace: NAMESPACE, healing, copies, process }, this.stop.signal);
    void components.run(this.stop.signal);
  }

  /** Sets or removes the mark, as `uninstall --prepare` does and reverts it. */
  mark(isMarked: boolean): void {
    const annotations = isMarked ? { [INSTALL_ANNOTATIONS.uninstalling]: this.#worker.metadata.uid ?? "" } : {};
    this.cluster.put(RESOURCES.namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NAMESPACE, labels: LABELS, annotations },
    });
  }

  async damage(): Promise<void> {
    const { resource, ref } = this.#service;
    const patch = { spec: { sessionAffinity: "ClientIP" } };
    await this.cluster.client.mergePatch(resource, ref, patch, { fieldManager: "somebody" }, this.stop.signal);
  }

  get affinity(): string | undefined {
    const { resource, ref } = this.#service;
    return this.cluster.get<ServiceObject>(resource, ref)?.spec.sessionAffinity;
  }

  /** Makes the next reads of the Namespace fail without an answer. */
  loseReads(count: number): void {
    let left = count;
    this.cluster.fault = ({ verb, resource }) =>
      verb === "list" && resource.plural === "namespaces" && left-- > 0 ? NO_ANSWER : undefined;
  }

  async uninstalling(): Promise<number | undefined> {
    return (await this.metrics.isUninstalling.get()).values[0]?.value;
  }
}

function serviceComponent() {
  const found = componentsOf(NAMESPACE).find(({ id }) => id === `Service ${NAMESPACE}/keyvault-injector-webhook`);
  assert.ok(found !== undefined);
  return found;
}

function copiesOf(copy: ComponentCopy | undefined): ComponentCopies {
  assert.ok(copy !== undefined);
  const nothing = async (): Promise<void> => {
    await Promise.resolve();
  };
  return {
    hasSynced: true,
    get: (id) => (id === copy.id ? copy : undefined),
    textOf: () => undefined,
    keys: () => [copy.id],
    save: nothing,
    remove: nothing,
    renew: nothing,
  };
}

describe("a component that is damaged while an uninstall is prepared", () => {
  async function damagedWhileMarked(): Promise<Install> {
    const install = new Install();
    await install.clock.advance(5_000);
    install.mark(true);
    await install.clock.advance(2_000);
    await install.damage();
    await install.clock.advance(10_000);
    assert.equal(install.affinity, "ClientIP");
    assert.equal(await install.uninstalling(), 1);
    return install;
  }

  for (const lost of [0, 3]) {
    test(`is healed once the mark is taken back, also where ${lost} reads get no answer`, async () => {
      const install = await damagedWhileMarked();
      install.loseReads(lost);

      install.mark(false);
      await install.clock.advance(60_000);

      assert.equal(install.affinity, "None");
      assert.equal(await install.uninstalling(), 0);
      install.stop.abort();
    });
  }

  test("is healed where the mark came and went while the install's own state could not be read", async () => {
    const install = new Install();
    await install.clock.advance(5_000);
    install.loseReads(1);
    install.mark(true);
    await install.clock.advance(1);
    await install.damage();
    await install.clock.advance(100);
    assert.equal(install.affinity, "ClientIP");

    install.mark(false);
    await install.clock.advance(60_000);

    assert.equal(install.affinity, "None");
    install.stop.abort();
  });
});
