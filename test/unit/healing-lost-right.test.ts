import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Registry } from "prom-client";
import { type ComponentCopy, copyOf } from "../../src/domain/healing/component-copy.ts";
import { componentsOf, OWN_DEPLOYMENT } from "../../src/domain/healing/components.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError, type Refuser } from "../../src/domain/ports/kube-error.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import type { ComponentCopies } from "../../src/sync/healing/component-copies.ts";
import { createComponentMetrics } from "../../src/sync/healing/component-metrics.ts";
import { startComponents } from "../../src/sync/healing/components.ts";
import { SimulatedCluster, withoutRight } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const NAMESPACE = "keyvault-injector";
const LABELS = { "app.kubernetes.io/name": NAMESPACE };
const MINUTE = 60_000;
const FORBIDDEN = new KubeError("Forbidden", "forbidden", { retry: { kind: "never" } });

/** The API server's answer about the permission to write the node side. */
type Right = { readonly allowed: boolean; readonly evaluationError?: string };

/** An install with a DaemonSet of the node side, of which the worker has a copy. */
class Install {
  readonly clock = new ManualClock();
  readonly cluster = new SimulatedCluster(this.clock);
  readonly metrics = createComponentMetrics(new Registry());
  readonly logger = recordingLogger();
  readonly stop = new AbortController();
  readonly copies = new Map<string, ComponentCopy>();
  readonly #daemonSet = daemonSet();
  right: Right = { allowed: true };
  questions = 0;

  constructor() {
    const metadata = { namespace: NAMESPACE, name: OWN_DEPLOYMENT, labels: LABELS };
    this.cluster.put(WORKLOADS.Deployment, { apiVersion: "apps/v1", kind: "Deployment", metadata });
    this.cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels: LABELS } });
    const { resource, ref, id } = this.#daemonSet;
    const object = Object.assign(
      { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { ...ref, labels: LABELS } },
      { spec: { minReadySeconds: 5 } },
    );
    const copy = copyOf(this.#daemonSet, this.cluster.put(resource, object));
    assert.ok(copy !== undefined);
    this.copies.set(id, copy);
  }

  /** Starts a worker as the leader. */
  start(): void {
    const { clock, metrics, logger, copies } = this;
    const { client, watcher } = this.cluster;
    const create: KubeClient["create"] = async (resource, body, ...rest) => {
      if (resource !== RESOURCES.selfSubjectAccessReviews) return client.create(resource, body, ...rest);
      const isAsked = JSON.stringify(body).includes(`"${this.#daemonSet.ref.name}"`);
      this.questions += isAsked ? 1 : 0;
      return Object.assign({ ...body }, { status: isAsked ? this.right : { allowed: false } });
    };
    const kube: KubeClient = { ...client, create };
    const store: ComponentCopies = {
      hasSynced: true,
      get: (id) => copies.get(id),
      textOf: (id) => (copies.has(id) ? JSON.stringify(copies.get(id)) : undefined),
      keys: () => [...copies.keys()],
      save: async (copy) => void copies.set(copy.id, copy),
      remove: async (id) => void copies.delete(id),
      renew: async () => undefined,
    };
    const healing = { crds: [], componentMetrics: metrics, healNodeSide: true, healWebhook: false };
    const process = { clock, events: { emit: () => undefined }, logger, random: () => 0.5 };
    const options = { kube, watcher, namespace: NAMESPACE, healing, copies: store, process };
    void startComponents(options, this.stop.signal).run(this.stop.signal);
  }

  /** Changes the status of the DaemonSet, as its controller often does. */
  touch(): void {
    const { resource, ref } = this.#daemonSet;
    this.cluster.put(resource, { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { ...ref, annotations: { seen: "1" } } }, "status");
  }

  delete(): void {
    this.cluster.delete(this.#daemonSet.resource, this.#daemonSet.ref);
  }

  get isThere(): boolean {
    return this.cluster.get(this.#daemonSet.resource, this.#daemonSet.ref) !== undefined;
  }

  get hasCopy(): boolean {
    return this.copies.has(this.#daemonSet.id);
  }

  get drops(): number {
    return this.logger.entries.filter(({ message }) => message === "the worker does not heal a component").length;
  }

  /** The details of the reports about damage, in order. */
  get reports(): readonly string[] {
    const damaged = this.logger.entries.filter(({ message }) => message === "a part of the install is damaged and is not healed");
    return damaged.map(({ fields }) => String(fields?.["detail"]));
  }

  async damaged(): Promise<number | undefined> {
    const { values } = await this.metrics.damaged.get();
    return values.find(({ labels }) => labels.component === this.#daemonSet.id)?.value;
  }
}

function daemonSet() {
  const found = componentsOf(NAMESPACE).find(({ isNodeSide, resource }) => isNodeSide && resource.kind === "DaemonSet");
  assert.ok(found !== undefined);
  return found;
}

describe("the right to write a part of the node side", () => {
  test("RC20-1: is missing for a moment, and what is deleted after it is back is restored", async () => {
    const install = new Install();
    install.start();
    await install.clock.advance(3_000);

    install.right = { allowed: false };
    install.touch();
    await install.clock.advance(200);
    install.right = { allowed: true };
    await install.clock.advance(30_000);
    assert.equal(install.hasCopy, true);
    install.delete();
    await install.clock.advance(MINUTE);

    assert.equal(install.isThere, true);
    assert.equal(install.drops, 0);
    install.stop.abort();
  });

  test("RC20-1: is missing while something is deleted, and nothing is written before it is back", async () => {
    const install = new Install();
    install.start();
    await install.clock.advance(3_000);

    install.right = { allowed: false };
    install.delete();
    await install.clock.advance(MINUTE);
    assert.equal(install.isThere, false);
    assert.equal(install.hasCopy, true);
    install.right = { allowed: true };
    await install.clock.advance(2 * MINUTE);

    assert.equal(install.isThere, true);
    install.stop.abort();
  });

  test("RC20-1: is not seen in the first moment of a leader, which keeps the copy of the one before it", async () => {
    const install = new Install();
    install.right = { allowed: false };
    install.start();
    await install.clock.advance(3_000);
    install.right = { allowed: true };
    install.delete();
    await install.clock.advance(MINUTE);

    assert.equal(install.isThere, true);
    install.stop.abort();
  });

  test("RC20-1: is gone for minutes: the component is not looked after any more, which is said once, and nothing is damaged", async () => {
    const install = new Install();
    install.start();
    await install.clock.advance(3_000);
    // The worker loses the permission between the permission check and the read.
    install.cluster.fault = ({ verb, resource }) => (verb === "list" && resource.kind === "DaemonSet" ? FORBIDDEN : undefined);
    install.touch();
    await install.clock.advance(1_000);
    assert.equal(await install.damaged(), 1);

    install.right = { allowed: false };
    await install.clock.advance(20 * MINUTE);
    assert.equal(install.hasCopy, false);
    assert.equal(install.drops, 1);
    assert.equal(await install.damaged(), 0);
    const { questions } = install;
    await install.clock.advance(60 * MINUTE);

    assert.ok(install.questions - questions <= 13, `asked ${install.questions - questions} times in an hour`);
    assert.equal(install.drops, 1);
    install.stop.abort();
  });

  test("RC20-1: cannot be told for an hour, which takes nothing away, and is not asked about without end", async () => {
    const install = new Install();
    install.start();
    await install.clock.advance(3_000);

    install.right = { allowed: false, evaluationError: 'role.rbac.authorization.k8s.io "node-side" not found' };
    install.touch();
    const { questions } = install;
    await install.clock.advance(60 * MINUTE);

    assert.equal(install.hasCopy, true);
    assert.ok(install.questions - questions <= 30, `asked ${install.questions - questions} times in an hour`);
    install.stop.abort();
  });

  test("RC20-1: went after it could not be told, and counts as gone only from then on", async () => {
    const install = new Install();
    install.start();
    await install.clock.advance(3_000);
    install.right = { allowed: false, evaluationError: "not synced" };
    install.touch();
    await install.clock.advance(20 * MINUTE);

    install.right = { allowed: false };
    install.touch();
    await install.clock.advance(4 * MINUTE);
    assert.equal(install.hasCopy, true);
    await install.clock.advance(20 * MINUTE);

    assert.equal(install.hasCopy, false);
    install.stop.abort();
  });
});

describe("a repair of the node side that is refused", () => {
  const refusers: Readonly<Record<string, Refuser | undefined>> = {
    "a webhook": { kind: "webhook" },
    "a policy": { kind: "policy", name: "keyvault-injector-sync-workloads" },
    "an admission plugin of the API server": undefined,
  };

  /** Deletes the DaemonSet and refuses its repair. Returns the number of applies in ten minutes. */
  async function refuse(install: Install, error: KubeError): Promise<number> {
    install.start();
    await install.clock.advance(3_000);
    let applies = 0;
    install.cluster.fault = ({ verb, resource }) => {
      if (verb !== "apply" || resource.kind !== "DaemonSet") return undefined;
      applies += 1;
      return error;
    };
    install.delete();
    await install.clock.advance(10 * MINUTE);
    install.stop.abort();
    return applies;
  }

  for (const [who, refuser] of Object.entries(refusers)) {
    test(`RV3: by ${who} is reported with the refusal, not as a lost permission, and is tried again every minute`, async () => {
      const install = new Install();
      const applies = await refuse(
        install,
        new KubeError("Forbidden", "no changes until Monday", { retry: { kind: "backoff" }, status: 403, refuser }),
      );

      assert.deepEqual(install.reports, ["deleted, and the API server rejects the repair: no changes until Monday"]);
      assert.equal(await install.damaged(), 1);
      assert.ok(applies >= 9 && applies <= 11, `tried ${applies} times in ten minutes`);
    });
  }

  test("RV3: by an authorizer is still a lost permission", async () => {
    const install = new Install();
    await refuse(install, withoutRight());

    assert.deepEqual(install.reports, ["the worker no longer has permission to heal it; apply the manifests again"]);
  });
});
