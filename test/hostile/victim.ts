import { setTimeout as pause } from "node:timers/promises";
import type { KubeObject, Secret } from "../../src/domain/kubernetes.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { Cell } from "../faults/cell.ts";
import { apiRequest } from "../support/cluster/api-request.ts";
import { kubeAccess } from "../support/cluster/kube-access.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aPod } from "../support/fixtures/pods.ts";
import { createClass, createCredentials, find, LEASE, send } from "../support/worker/sync-world.ts";
import { INTERVAL_MS, type VictimGround } from "./ground.ts";

const NAMESPACE = "victim";

/** Time limit for a rotation: a poll, and a reserve. */
const ROTATED_WITHIN_MS = INTERVAL_MS + 5_000;

/** Interval between two rotations, and between two pods. */
const ROTATE_EVERY_MS = 400;
const CREATE_EVERY_MS = 250;

/** Time during an attack in which objects rotate. After it, each rotation still has its time limit to arrive. */
const STRUCK_MS = 6_000;

/** The API server's own timeout for the webhook. If a pod takes longer, the webhook did not decide it. */
const ADMITTED_WITHIN_MS = 5_000;

interface Rotation {
  readonly name: string;
  readonly index: number;
  readonly at: number;
}

/** Results of the victim during an attack. */
export interface Service {
  /** One sentence for each problem. */
  readonly hurts: readonly string[];
  readonly rotations: number;
  readonly slowestRotationMs: number;
  readonly admissions: number;
  readonly slowestAdmissionMs: number;
}

/** A team that only uses the product: Secrets that follow its vault, and pods that get their volume. */
export class Victim {
  readonly #ground: VictimGround;
  readonly #cell: Cell;
  readonly #stop = new AbortController();
  readonly #access;
  /** Time at which each version of each object first appeared in its Secret. */
  readonly #arrived = new Map<string, number>();

  private constructor(ground: VictimGround) {
    this.#ground = ground;
    this.#cell = new Cell(ground.emulator, { namespace: NAMESPACE, mayList: true });
    this.#access = kubeAccess(ground.plane.kubeconfigPath);
  }

  static async settle(ground: VictimGround): Promise<Victim> {
    const { plane } = ground;
    const victim = new Victim(ground);
    await send(plane, {
      method: "POST",
      path: "/api/v1/namespaces",
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    });
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    await apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, body: account });
    await victim.#cell.fill();
    await createCredentials(plane, NAMESPACE, victim.#cell.credentials);
    await Promise.all(victim.#cell.classes().map((provider) => createClass(plane, provider)));
    victim.#watch();
    return victim;
  }

  get cell(): Cell {
    return this.#cell;
  }

  /** Whether the Secrets contain the latest versions in the vault. */
  get isServed(): boolean {
    return [...this.#cell.mark()].every(([name, index]) => this.#arrived.has(`${name}/${index}`));
  }

  /** Uses the product during an attack, and returns the results. */
  async use(): Promise<Service> {
    const leader = await this.#leader();
    const over = new AbortController();
    const admissions = this.#createPods(over.signal);
    const rotations = await this.#rotate();
    const late = await this.#awaited(rotations);
    over.abort();
    const { failures, times } = await admissions;
    const hurts = [...late, ...failures, ...this.#ground.ended()];
    const now = await this.#leader();
    if (now !== leader) hurts.push(`the lease went from ${leader} to ${now}`);
    const waits = rotations.map(({ name, index, at: rotated }) => (this.#arrived.get(`${name}/${index}`) ?? performance.now()) - rotated);
    return {
      hurts,
      rotations: rotations.length,
      slowestRotationMs: Math.max(0, ...waits),
      admissions: times.length,
      slowestAdmissionMs: Math.max(0, ...times),
    };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#access.config.close();
  }

  #watch(): void {
    this.#access.watcher().reflect<string>(
      {
        resource: RESOURCES.secrets,
        namespace: NAMESPACE,
        project: (secret: Secret) => secret.data?.["value"],
        onChange: ({ name }, { current }) => {
          const value = Buffer.from(current ?? "", "base64").toString();
          const index = this.#indexOf(name, value);
          if (index >= 0) for (let earlier = index; earlier >= 0; earlier -= 1) this.#note(`${name}/${earlier}`);
        },
      },
      this.#stop.signal,
    );
  }

  /** A version that a later one replaced counts as arrived with the later one. */
  #note(key: string): void {
    if (!this.#arrived.has(key)) this.#arrived.set(key, performance.now());
  }

  #indexOf(name: string, value: string): number {
    for (let index = this.#cell.mark().get(name) ?? -1; index >= 0; index -= 1) if (this.#cell.valueAt(name, index) === value) return index;
    return -1;
  }

  async #rotate(): Promise<readonly Rotation[]> {
    const rotations: Rotation[] = [];
    const until = performance.now() + STRUCK_MS;
    for (let serial = 0; performance.now() < until; serial += 1) {
      const name = this.#cell.names[(serial * 7) % this.#cell.names.length] ?? "";
      const rotated = performance.now();
      await this.#cell.rotate(name);
      rotations.push({ name, index: this.#cell.mark().get(name) ?? -1, at: rotated });
      await pause(ROTATE_EVERY_MS);
    }
    return rotations;
  }

  /** Waits for each rotation until its time limit. Returns one sentence about those that took longer. */
  async #awaited(rotations: readonly Rotation[]): Promise<readonly string[]> {
    const isDue = ({ name, index }: Rotation): boolean => this.#arrived.has(`${name}/${index}`);
    const last = Math.max(...rotations.map(({ at: rotated }) => rotated)) + ROTATED_WITHIN_MS;
    while (performance.now() < last && !rotations.every(isDue)) await pause(100);
    const late = rotations.filter(
      ({ name, index, at: rotated }) => (this.#arrived.get(`${name}/${index}`) ?? Number.POSITIVE_INFINITY) - rotated > ROTATED_WITHIN_MS,
    );
    return late.length === 0 ? [] : [`${late.length} of ${rotations.length} rotations took longer than ${ROTATED_WITHIN_MS / 1_000} s`];
  }

  async #createPods(signal: AbortSignal): Promise<{ readonly failures: readonly string[]; readonly times: readonly number[] }> {
    const times: number[] = [];
    const failures: string[] = [];
    while (!signal.aborted) {
      const from = performance.now();
      const problem = await this.#podProblem();
      times.push(performance.now() - from);
      if (problem !== undefined) failures.push(problem);
      await pause(CREATE_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    const slow = times.filter((time) => time > ADMITTED_WITHIN_MS).length;
    const late = slow === 0 ? [] : [`${slow} of ${times.length} pods took longer than ${ADMITTED_WITHIN_MS / 1_000} s`];
    return { failures: [...summary(failures, times.length), ...late], times };
  }

  async #podProblem(): Promise<string | undefined> {
    const pod = aPod({ inject: "true", "secret-provider-class": "class-0" });
    const where = `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`;
    try {
      const { status, body } = await apiRequest(this.#ground.plane, { method: "POST", path: where, body: pod });
      const isInjected = listAt(body, "spec", "volumes").some((volume) => at(volume, "csi") !== undefined);
      if (status === 201 && isInjected) return undefined;
      return `a pod was not injected: HTTP ${status} ${JSON.stringify(at(body, "message"))}`.slice(0, 200);
    } catch (error) {
      return `a pod got no answer: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async #leader(): Promise<string> {
    const lease = await find<KubeObject & { readonly spec?: { readonly holderIdentity?: string } }>(this.#ground.plane, LEASE);
    return lease?.spec?.holderIdentity ?? "nobody";
  }
}

function summary(failures: readonly string[], of: number): readonly string[] {
  const [first] = failures;
  return first === undefined ? [] : [`${failures.length} of ${of} pods: ${first}`];
}
