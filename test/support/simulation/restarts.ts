import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { POD_ANNOTATIONS, PREFIX } from "../../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../../src/domain/kubernetes.ts";
import { KubeError, type KubeErrorCode } from "../../../src/domain/ports/kube-error.ts";
import type { KubeWatcher } from "../../../src/domain/ports/kube-watcher.ts";
import { WORKLOADS } from "../../../src/domain/rollout/workload-kinds.ts";
import type { RolloutSettings } from "../../../src/sync/rollouts/rollout-context.ts";
import { createRolloutMetrics } from "../../../src/sync/rollouts/rollout-metrics.ts";
import { createRollouts } from "../../../src/sync/rollouts/rollouts.ts";
import { type Leader, type LeadOptions, SimulatedWorld } from "./world.ts";

const CLASS = "app";

type Values = Readonly<Record<string, string>>;

export interface DeploymentFacts {
  /** Annotations of the workload, and of its template, without the prefix. */
  readonly own?: Values;
  readonly template?: Values;
  readonly replicas?: number;
  readonly spec?: object;
}

const prefixed = (values: Values = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${PREFIX}/${key}`, value]));

/** Namespaces with one class each, whose only object its Deployments use, and a worker that restarts them. Only the test replaces pods. */
export class Restarts {
  readonly world = new SimulatedWorld();
  readonly #settings: Partial<RolloutSettings>;
  readonly #watcher: KubeWatcher;
  #registry = new Registry();
  #leader: Leader | undefined;

  constructor(settings: Partial<RolloutSettings> = {}, watcher: (real: KubeWatcher) => KubeWatcher = (real) => real) {
    this.#settings = settings;
    this.#watcher = watcher(this.world.cluster.watcher);
  }

  team(namespace: string): void {
    this.world.cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    this.world.vaults.set(namespace);
    this.world.apply({ namespace, name: CLASS, objects: [namespace] });
  }

  /** Creates a Deployment whose pods are all updated and available. One of them is older than all later versions. */
  deploy(namespace: string, name: string, { own, template, replicas = 1, spec = {} }: DeploymentFacts = {}): void {
    const container = { name, envFrom: [{ secretRef: { name: `${CLASS}-${namespace}` } }] };
    const annotations = { [POD_ANNOTATIONS.restartOnRotation]: "true", ...prefixed(template) };
    const made = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace, name, annotations: prefixed(own) },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: { metadata: { annotations }, spec: { containers: [container] } },
        ...spec,
      },
      status: { observedGeneration: 1, replicas, updatedReplicas: replicas, availableReplicas: replicas },
    };
    this.world.cluster.put(WORKLOADS.Deployment, made);
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace, name: `${name}-1`, labels: { app: name } } };
    this.world.cluster.put(RESOURCES.pods, { ...pod, status: { phase: "Running" } } as KubeObject);
  }

  async lead(options: Pick<LeadOptions, "push"> = {}): Promise<void> {
    const { clock, logger } = this.world;
    this.#registry = new Registry();
    const settings: RolloutSettings = {
      mostAtATime: 1,
      timeoutMs: 600_000,
      filesGraceMs: 600_000,
      controls: { mode: "act", window: { kind: "always" } },
      mostInCluster: 9_999,
      respectsBudgets: false,
      watchesArgo: false,
      ...this.#settings,
    };
    const metrics = createRolloutMetrics(this.#registry);
    const rollouts = createRollouts({ settings, watcher: this.#watcher, metrics, clock, logger, random: () => 0.5 });
    this.#leader = this.world.lead({ ...options, rollouts });
    await this.pass(15_000);
  }

  /** Makes another process the leader, which knows only the stored state. */
  async changeLeader(): Promise<void> {
    await this.stop();
    await this.lead();
  }

  async stop(): Promise<void> {
    await this.#leader?.stop();
  }

  pass(milliseconds: number): Promise<void> {
    return this.world.clock.advance(milliseconds);
  }

  /** Sets new versions, and waits until the Secrets have them. */
  async rotate(...namespaces: readonly string[]): Promise<void> {
    for (const namespace of namespaces) this.change(namespace);
    await this.pass(15_000);
  }

  /** Sets a new version, and has the worker query the vault. */
  change(namespace: string): void {
    this.world.vaults.set(namespace);
    const annotations = prefixed({ refresh: String(this.world.clock.now()) });
    this.world.apply({ namespace, name: CLASS, objects: [namespace], annotations });
  }

  /** Stamp of its template. */
  stamp(namespace: string, name: string): string | undefined {
    const { template } = (this.live(namespace, name) as KubeObject & { readonly spec: { readonly template: KubeObject } }).spec;
    return template.metadata.annotations?.[POD_ANNOTATIONS.rotated];
  }

  /** Sets the status as its controller would. */
  report(namespace: string, name: string, status: object): void {
    const live = this.live(namespace, name);
    const seen = { observedGeneration: live.metadata.generation };
    this.world.cluster.put(WORKLOADS.Deployment, { ...live, status: { ...seen, ...status } } as KubeObject);
  }

  /** Reports all its pods as replaced and available. */
  complete(namespace: string, name: string, replicas = 1): void {
    this.report(namespace, name, { replicas, updatedReplicas: replicas, availableReplicas: replicas });
  }

  annotate(namespace: string, name: string, values: Values): void {
    const live = this.live(namespace, name);
    const metadata = { ...live.metadata, annotations: { ...live.metadata.annotations, ...prefixed(values) } };
    this.world.cluster.put(WORKLOADS.Deployment, { ...live, metadata });
  }

  live(namespace: string, name: string): KubeObject {
    const found = this.world.cluster.get<KubeObject>(WORKLOADS.Deployment, { namespace, name });
    assert.ok(found);
    return found;
  }

  /** The condition `Rotated` as `False Restarting: <message>`, or `none`. */
  rotated(namespace: string): string {
    const found = this.world.status({ namespace, name: CLASS })?.conditions.find(({ type }) => type === "Rotated");
    return found === undefined ? "none" : `${found.status} ${found.reason}: ${found.message}`;
  }

  /** Events of the workload, as `RolloutFailed: <message>`. */
  events(namespace: string, name: string): readonly string[] {
    const own = this.world.events.filter(({ regarding: { metadata } }) => metadata.namespace === namespace && metadata.name === name);
    return own.map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** Makes every later write of that Deployment fail with this code. Without a status, no answer came. */
  failWrites(name: string, code: KubeErrorCode, status: number | undefined): { tries: number } {
    const counted = { tries: 0 };
    const more = status === undefined ? {} : { status };
    this.world.cluster.fault = ({ verb, ref }) => {
      if (verb !== "patch" || ref.name !== name) return undefined;
      counted.tries += 1;
      return new KubeError(code, `patch deployments.apps ${name}: ${code}`, { retry: { kind: "backoff" }, ...more });
    };
    return counted;
  }

  /** Value of a metric of restarts, with its labels as in `rollouts_held{cause="window"}`. */
  async metric(name: string): Promise<number | undefined> {
    const line = (await this.#registry.metrics()).split("\n").find((each) => each.includes(`${name} `) && !each.startsWith("#"));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  }
}
