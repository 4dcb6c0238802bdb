/** Candidates for the Leases of a worker, in a cluster and a time of their own. */
import assert from "node:assert/strict";
import { RESOURCES } from "../../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../../src/domain/ports/kube-error.ts";
import { shardLease } from "../../../src/domain/shards.ts";
import { createLeaderElection, type LeaderElection } from "../../../src/kube/lease.ts";
import type { Former } from "../../../src/kube/lease-search.ts";
import { aborted } from "../../../src/runtime/lifecycle.ts";
import { SimulatedCluster } from "../simulation/cluster.ts";
import { ManualClock } from "../time/manual-clock.ts";
import { recordingLogger } from "./recording-logger.ts";

const LEASE = { namespace: "install", name: "worker" };

/** Milliseconds. */
const STEP = 250;

export interface Candidate {
  readonly shards: number;
  readonly election: LeaderElection;
  /** What it leads at the moment. */
  readonly shard: () => number | undefined;
  readonly former: () => Former | undefined;
  readonly said: (message: string) => boolean;
  readonly stop: () => void;
  /** Its requests fail from now on, or not any more. */
  readonly cutOff: (isCutOff: boolean) => void;
}

export interface CandidateOptions {
  readonly refuses?: (verb: string) => KubeError | undefined;
  readonly hasLed?: () => Promise<boolean>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export class LeaseCandidates {
  readonly clock = new ManualClock();
  readonly cluster = new SimulatedCluster(this.clock);
  readonly #all: Candidate[] = [];
  readonly #ended: Promise<unknown>[] = [];

  start(shards: number, { refuses = () => undefined, hasLed = async () => true, annotations = {} }: CandidateOptions = {}): Candidate {
    const stop = new AbortController();
    const logger = recordingLogger();
    let isCutOff = false;
    let led: number | undefined;
    let former: Former | undefined;
    const guarded = <Call extends (...given: never[]) => Promise<unknown>>(verb: string, call: Call): Call =>
      (async (...given: Parameters<Call>) => {
        const refusal = isCutOff ? new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } }) : refuses(verb);
        if (refusal !== undefined) throw refusal;
        return call(...given);
      }) as unknown as Call; // As it is called.
    const { client } = this.cluster;
    const kube: KubeClient = {
      ...client,
      read: guarded("get", client.read.bind(client)),
      list: guarded("list", client.list.bind(client)),
      apply: guarded("apply", client.apply.bind(client)),
      mergePatch: guarded("patch", client.mergePatch.bind(client)),
    };
    const election = createLeaderElection(kube, {
      ...LEASE,
      shards,
      identity: `worker-${this.#all.length}`,
      fieldManager: "test",
      clock: this.clock,
      logger,
      hasLed,
      ofOneNumber: ["polled"],
      annotations: () => annotations,
    });
    const lead = async (signal: AbortSignal, given: Former, shard: number): Promise<void> => {
      [led, former] = [shard, given];
      await aborted(signal);
    };
    this.#ended.push(election.run(lead, stop.signal).catch(() => undefined));
    const candidate: Candidate = {
      shards,
      election,
      shard: () => (election.holdsLease ? led : undefined),
      former: () => former,
      said: (message) => logger.entries.some((entry) => entry.message === message),
      stop: () => stop.abort(),
      cutOff: (given) => {
        isCutOff = given;
      },
    };
    this.#all.push(candidate);
    return candidate;
  }

  startSome(count: number, shards: number): readonly Candidate[] {
    return Array.from({ length: count }, () => this.start(shards));
  }

  /** What is led at this moment, each as `shard/shards`; fails where a namespace has two leaders. */
  led(): readonly string[] {
    const holding = this.#all.flatMap(({ shards, shard }) => (shard() === undefined ? [] : [`${shard()}/${shards}`]));
    assert.equal(new Set(holding).size, holding.length, `twice: ${holding.join(" ")}`);
    assert.ok(new Set(holding.map((one) => one.split("/")[1])).size <= 1, `two numbers of shards at once: ${holding.join(" ")}`);
    return holding.toSorted();
  }

  /** Looks at each step at what is led. */
  async pass(milliseconds: number): Promise<readonly string[]> {
    for (let at = 0; at < milliseconds; at += STEP) {
      await this.clock.advance(STEP);
      this.led();
    }
    return this.led();
  }

  deleteLease(shard: number): void {
    this.cluster.delete(RESOURCES.leases, { ...LEASE, name: shardLease(LEASE.name, shard) });
  }

  async end(): Promise<void> {
    for (const { stop } of this.#all) stop();
    await this.clock.advance(0);
    await Promise.all(this.#ended);
  }
}

export { LEASE as CANDIDATES_LEASE };
