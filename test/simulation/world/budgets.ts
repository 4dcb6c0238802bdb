/** PodDisruptionBudgets, as their controller keeps them. */
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Cluster } from "./cluster.ts";
import type { Workloads } from "./workloads.ts";

const BUDGETS = "/apis/policy/v1";
const ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/keyvault-injector-sync";
const CONTROLLER = "system:serviceaccount:kube-system:disruption-controller";

/** How often its controller looks (milliseconds). */
const LOOK_MS = 5_000;

export interface Budget {
  readonly namespace: string;
  /** Of the workload, too, whose pods it covers. */
  readonly name: string;
  /** 0: none may go. */
  maxUnavailable: number;
  /** Since when it allows no disruption; undefined: it does. Virtual milliseconds. */
  exhaustedSince: number | undefined;
  reported: string;
}

export interface BudgetsOptions {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly workloads: Workloads;
}

export class Budgets {
  readonly #options: BudgetsOptions;
  readonly #all = new Map<string, Budget>();

  /** The worker gets the right to see them, as the component of the install gives it. */
  constructor(options: BudgetsOptions) {
    this.#options = options;
    const rule = { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: ["list", "watch"] };
    const patch = [{ op: "add", path: "/rules/-", value: rule }];
    options.cluster.request("PATCH", ROLE, patch, { contentType: "application/json-patch+json" });
    this.#lookLater();
  }

  all(): readonly Budget[] {
    return [...this.#all.values()];
  }

  of(namespace: string, name: string): Budget | undefined {
    return this.#all.get(`${namespace}/${name}`);
  }

  /** For the pods of a workload. */
  set(namespace: string, name: string, maxUnavailable: number): boolean {
    const { cluster, scheduler } = this.#options;
    const spec = { maxUnavailable, selector: { matchLabels: { app: name } } };
    const where = `${BUDGETS}/namespaces/${namespace}/poddisruptionbudgets`;
    const known = this.of(namespace, name);
    const body = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name }, spec };
    const merge = { contentType: "application/merge-patch+json", user: "author" };
    const { status } =
      known === undefined
        ? cluster.request("POST", where, body, { user: "author" })
        : cluster.request("PATCH", `${where}/${name}`, { spec: { maxUnavailable } }, merge);
    if (status >= 300) return false;
    this.#all.set(`${namespace}/${name}`, { namespace, name, maxUnavailable, exhaustedSince: scheduler.now, reported: "" });
    return true;
  }

  #lookLater(): void {
    const { scheduler, random } = this.#options;
    scheduler.schedule(LOOK_MS * random.between(0.5, 1.5), () => {
      for (const budget of this.#all.values()) this.#report(budget);
      this.#lookLater();
    });
  }

  #report(budget: Budget): void {
    const { cluster, scheduler, workloads } = this.#options;
    const { namespace, name, maxUnavailable } = budget;
    const pods = workloads.of(namespace, name)?.pods ?? [];
    const healthy = pods.filter(({ readyAt }) => readyAt !== undefined).length;
    const allowed = Math.max(0, healthy - Math.max(0, pods.length - maxUnavailable));
    budget.exhaustedSince = allowed > 0 || pods.length === 0 ? undefined : (budget.exhaustedSince ?? scheduler.now);
    const live = cluster.server.object("poddisruptionbudgets.policy", name, namespace) as
      | { metadata?: { generation?: number } }
      | undefined;
    const status = {
      observedGeneration: live?.metadata?.generation ?? 1,
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: Math.max(0, pods.length - maxUnavailable),
      expectedPods: pods.length,
    };
    const text = JSON.stringify(status);
    if (budget.reported === text || live === undefined) return;
    const where = `${BUDGETS}/namespaces/${namespace}/poddisruptionbudgets/${name}/status`;
    const merge = { contentType: "application/merge-patch+json", user: CONTROLLER };
    if (cluster.request("PATCH", where, { status }, merge).status < 300) budget.reported = text;
  }
}
