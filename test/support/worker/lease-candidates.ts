/** Candidates for the Leases of a worker, with their own cluster and clock. */
import assert from "node:assert/strict";
import { LEASE_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { type Lease, RESOURCES } from "../../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../../src/domain/ports/kube-error.ts";
import { shardCountText, shardLease } from "../../../src/domain/shards.ts";
import { createLeaderElection, type LeaderElection } from "../../../src/kube/lease.ts";
import type { Term } from "../../../src/kube/lease-search.ts";
import { aborted } from "../../../src/runtime/lifecycle.ts";
import { SimulatedCluster } from "../simulation/cluster.ts";
import { ManualClock } from "../time/manual-clock.ts";
import { recordingLogger } from "./recording-logger.ts";

export const CANDIDATES_LEASE = { namespace: "install", name: "worker" };

/** Milliseconds. */
const STEP = 250;

export interface Candidate {
  readonly shards: number;
  /** Shard that it leads at the moment. */
  readonly shard: () => number | undefined;
  /** Its latest term. Undefined before it first led. */
  readonly term: () => Term | undefined;
  /** Number of requests so far, by verb. */
  readonly requests: ReadonlyMap<string, number>;
  readonly said: (message: string) => boolean;
  readonly stop: () => void;
  /** Makes its requests fail, or succeed again. */
  readonly cutOff: (isCutOff: boolean) => void;
}

export interface CandidateOptions {
  /** Called right before a request with the verb (`get`, `list`, `apply`, `patch`). */
  readonly before?: (verb: string) => void;
  /** Total time in milliseconds that its machine has slept. */
  readonly slept?: () => number;
  readonly refuses?: (verb: string, lease: string | undefined) => KubeError | undefined;
  readonly hasLed?: () => Promise<boolean>;
  readonly annotations?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  /** Called when it begins to lead. */
  readonly takeOver?: (election: LeaderElection, term: Term, signal: AbortSignal) => Promise<void>;
}

/** Name of the Lease in the request. Undefined for a list. */
function leaseIn([, ref]: readonly unknown[]): string | undefined {
  const { name, metadata } = ref as { readonly name?: string; readonly metadata?: { readonly name?: string } }; // The client is called with this form.
  return name ?? metadata?.name;
}

export class LeaseCandidates {
  readonly clock = new ManualClock();
  readonly cluster = new SimulatedCluster(this.clock);
  readonly #all: Candidate[] = [];
  readonly #ended: Promise<unknown>[] = [];

  start(shards: number, given: CandidateOptions = {}): Candidate {
    const {
      before,
      slept = () => 0,
      refuses = () => undefined,
      hasLed = async () => true,
      annotations = {},
      takeOver = async () => undefined,
    } = given;
    const stop = new AbortController();
    const logger = recordingLogger();
    let isCutOff = false;
    let term: Term | undefined;
    const requests = new Map<string, number>();
    const guarded = <Call extends (...given: never[]) => Promise<unknown>>(verb: string, call: Call): Call =>
      (async (...asked: Parameters<Call>) => {
        requests.set(verb, (requests.get(verb) ?? 0) + 1);
        before?.(verb);
        const refusal = isCutOff
          ? new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } })
          : refuses(verb, leaseIn(asked));
        if (refusal !== undefined) throw refusal;
        return call(...asked);
      }) as unknown as Call; // It is called with this type.
    const { client } = this.cluster;
    const kube: KubeClient = {
      ...client,
      read: guarded("get", client.read.bind(client)),
      list: guarded("list", client.list.bind(client)),
      apply: guarded("apply", client.apply.bind(client)),
      mergePatch: guarded("patch", client.mergePatch.bind(client)),
    };
    const election = createLeaderElection(kube, {
      leases: { ...CANDIDATES_LEASE, shards, ofOneNumber: ["polled"] },
      identity: `worker-${this.#all.length}`,
      fieldManager: "test",
      clock: this.#clockOf(slept),
      logger,
      hasLed,
      annotations: () => (typeof annotations === "function" ? annotations() : annotations),
    });
    const lead = async (signal: AbortSignal, led: Term): Promise<void> => {
      term = led;
      await takeOver(election, led, signal);
      await aborted(signal);
    };
    this.#ended.push(election.run(lead, stop.signal).catch(() => undefined));
    const candidate: Candidate = {
      shards,
      shard: () => (election.holdsLease ? term?.shard : undefined),
      term: () => term,
      requests,
      said: (message) => logger.entries.some((entry) => entry.message === message),
      stop: () => stop.abort(),
      cutOff: (isMeant) => {
        isCutOff = isMeant;
      },
    };
    this.#all.push(candidate);
    return candidate;
  }

  #clockOf(slept: () => number) {
    const { clock } = this;
    return {
      now: () => clock.now(),
      sleep: (milliseconds: number, signal: AbortSignal) => clock.sleep(milliseconds, signal),
      elapsed: () => clock.now() + slept(),
    };
  }

  /** Writes the Lease as another worker with that many shards would have done just now. */
  holdElsewhere(shard: number, count: number): void {
    const renewTime = new Date(this.clock.now()).toISOString();
    const annotations = { [LEASE_ANNOTATIONS.shards]: shardCountText(count, "elsewhere") };
    const metadata = { ...CANDIDATES_LEASE, name: shardLease(CANDIDATES_LEASE.name, shard), annotations };
    const spec = { holderIdentity: "elsewhere", leaseDurationSeconds: 15, renewTime };
    const lease: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
    this.cluster.put(RESOURCES.leases, lease);
  }

  startSome(count: number, shards: number): readonly Candidate[] {
    return Array.from({ length: count }, () => this.start(shards));
  }

  /**
   * Shards that have a leader now, each as `shard/shards`. Fails if a shard has two leaders, or if leaders disagree on the number of
   * shards.
   */
  led(): readonly string[] {
    const holding = this.#all.flatMap(({ shards, shard }) => (shard() === undefined ? [] : [`${shard()}/${shards}`]));
    assert.equal(new Set(holding).size, holding.length, `twice: ${holding.join(" ")}`);
    assert.ok(new Set(holding.map((one) => one.split("/")[1])).size <= 1, `two numbers of shards at once: ${holding.join(" ")}`);
    return holding.toSorted();
  }

  /** Checks the leaders at each step. */
  async pass(milliseconds: number): Promise<readonly string[]> {
    for (let at = 0; at < milliseconds; at += STEP) {
      await this.clock.advance(STEP);
      this.led();
    }
    return this.led();
  }

  deleteLease(shard: number): void {
    this.cluster.delete(RESOURCES.leases, { ...CANDIDATES_LEASE, name: shardLease(CANDIDATES_LEASE.name, shard) });
  }

  async end(): Promise<void> {
    for (const { stop } of this.#all) stop();
    await this.clock.advance(0);
    await Promise.all(this.#ended);
  }
}
