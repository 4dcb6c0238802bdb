import { LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import type { Lease } from "../domain/kubernetes.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import { shardCountOf, shardLease, shardOfLease } from "../domain/shards.ts";
import type { LeaderElectionOptions, LeaseTiming } from "./lease-options.ts";
import { holderOf, type LeaseAnnotations, wasHeld } from "./lease-record.ts";
import type { LeaseStore, Renewal } from "./lease-store.ts";

interface Seen {
  readonly resourceVersion: string | undefined;
  unchangedMs: number;
}

interface Observed {
  readonly lease: Lease;
  readonly isFree: boolean;
  /** Whether no worker has ever led. */
  readonly isFirst: boolean;
}

interface Survey {
  readonly leases: readonly Lease[];
  /** A lease that a worker with another number of shards holds. */
  readonly other: Lease | undefined;
}

/** A leader's shard, and the annotations that earlier leaders left. */
export interface Term {
  /** Index, from 0. */
  readonly shard: number;
  /** Annotations of the last leader of the same Lease. If it had another number of shards, only those that are valid for any number. */
  readonly annotations: LeaseAnnotations;
  /** Annotations of the other Leases: with another number of shards, their leaders may have had classes that this leader has now. */
  readonly others: readonly LeaseAnnotations[];
  /** Those of the others that belong to no shard with this number. */
  readonly former: readonly LeaseAnnotations[];
}

/** Returns the annotations of a Lease that have to change; null removes an annotation. */
export type AnnotationChange = (annotations: LeaseAnnotations) => Readonly<Record<string, string | null>>;

export interface Won extends Renewal {
  readonly term: Term;
}

/**
 * Finds a lease for a candidate. Measures time by its own sleeps. Candidates that disagree about the number of shards exclude each other as
 * in Dekker's algorithm: each writes its own lease, and leads only if it then finds no held lease with another number. If two do so at
 * once, at least one finds the other. A candidate cannot find a holder whose lease was deleted. That holder checks for others itself when
 * it recreates the lease. If there have been shards, a candidate also starts only after it has found no other holder for as long as a lease
 * lasts.
 */
export class LeaseSearch {
  readonly #store: LeaseStore;
  readonly #options: LeaderElectionOptions;
  readonly #timing: LeaseTiming;
  readonly #seen = new Map<string, Seen>();
  /**
   * Milliseconds for which no lease with another number of shards was found held. Undefined: the last survey found one, or there was no
   * survey yet.
   */
  #aloneMs: number | undefined;
  /** The last holder that the candidate waited for, so that it logs each holder once. */
  #waitedFor: string | undefined;

  constructor(store: LeaseStore, options: LeaderElectionOptions, timing: LeaseTiming) {
    this.#store = store;
    this.#options = options;
    this.#timing = timing;
  }

  get #shards(): number {
    return this.#options.leases.shards ?? 1;
  }

  /**
   * Resolves when this candidate has a lease: at once if no worker can hold it, otherwise after the lease was unchanged for its whole
   * duration.
   */
  async acquire(signal: AbortSignal): Promise<Won> {
    const { leases, clock } = this.#options;
    const { name } = leases;
    const names = Array.from({ length: this.#shards }, (_, shard) => shardLease(name, shard));
    for (;;) {
      const read = await Promise.all(
        names.map((each) => this.#store.tried("lease not read", each, () => this.#observe(each, signal), signal)),
      );
      const found = read.filter((each) => each !== undefined);
      // Even if no lease is free: a worker that leads now with another number of shards counts, too.
      if (found.some(({ lease }) => this.#knowsShards(lease)))
        await this.#store.tried("leases not listed", name, () => this.#survey(undefined, signal), signal);
      for (const observed of found.filter(({ isFree }) => isFree)) {
        const { name: each } = observed.lease.metadata;
        const won = await this.#store.tried("lease not acquired", each, () => this.#take(observed, names.indexOf(each), signal), signal);
        if (won !== undefined) return won;
      }
      await clock.sleep(this.#timing.retryMs, signal);
      for (const seen of this.#seen.values()) seen.unchangedMs += this.#timing.retryMs;
      if (this.#aloneMs !== undefined) this.#aloneMs += this.#timing.retryMs;
    }
  }

  /** Whether a worker with another number of shards is at work. */
  async meetsOthers(lease: Lease, signal: AbortSignal): Promise<boolean> {
    return (await this.#survey(lease, signal)).other !== undefined;
  }

  async #observe(name: string, signal: AbortSignal): Promise<Observed> {
    const lease = await this.#store.read(name, signal);
    this.#note(lease);
    if (this.#isOver(lease)) return { lease, isFree: true, isFirst: false };
    if (this.#store.isHeldByAnother(lease)) return { lease, isFree: false, isFirst: false };
    const isFirst = !wasHeld(lease) && (await this.#isFirst(name, signal));
    return { lease, isFree: wasHeld(lease) || isFirst, isFirst };
  }

  /** Returns false also if `hasLed` fails: the candidate then waits for the lease as if it had a holder. */
  async #isFirst(name: string, signal: AbortSignal): Promise<boolean> {
    const { hasLed = async () => false } = this.#options;
    return (await this.#store.tried("lease not acquired", name, () => hasLed(signal), signal)) === false;
  }

  /** A failed read says nothing about a lease: if its holder renews it in the meantime, the next read shows a new version. */
  #note({ metadata }: Lease): void {
    const { name, resourceVersion } = metadata;
    if (this.#seen.get(name)?.resourceVersion !== resourceVersion) this.#seen.set(name, { resourceVersion, unchangedMs: 0 });
  }

  /** Whether no worker has renewed the lease for as long as its holder promised. */
  #isOver({ metadata, spec }: Lease): boolean {
    const seconds = spec?.leaseDurationSeconds;
    const { unchangedMs = 0 } = this.#seen.get(metadata.name) ?? {};
    return unchangedMs > (seconds === undefined ? this.#timing.leaseMs : seconds * 1_000);
  }

  /** Returns undefined if workers with another number of shards are still at work, or may be. */
  async #take({ lease, isFirst }: Observed, shard: number, signal: AbortSignal): Promise<Won | undefined> {
    const { leases, other } = await this.#survey(lease, signal);
    if (other !== undefined || !(isFirst || this.#mayBegin(leases))) return undefined;
    const isOfSameNumber = shardCountOf(lease) === this.#shards;
    const outdated = isOfSameNumber ? [] : (this.#options.leases.ofOneNumber ?? []);
    // A stop does not abort this write: if its response were lost, the worker would not know what to release. The client limits the time of
    // the request.
    const { signal: unhurried } = new AbortController();
    const won = await this.#store.write(lease, Object.fromEntries(outdated.map((key) => [key, null])), unhurried);
    let isAlone = false;
    try {
      isAlone = !(await this.meetsOthers(won.written, unhurried));
      if (isAlone && shard === 0) await this.#endFormerNumbers(leases, unhurried);
    } finally {
      if (!isAlone) await this.#store.release(won.written, {});
    }
    const others = leases.filter(({ metadata }) => metadata.name !== lease.metadata.name).map(annotationsOf);
    const former = leases.filter((each) => this.#isFormer(each)).map(annotationsOf);
    return isAlone ? { ...won, term: { shard, annotations: annotationsOf(won.written), others, former } } : undefined;
  }

  /** Changes the annotations of Leases that belong to no shard. */
  async clearFormer(change: AnnotationChange, signal: AbortSignal): Promise<void> {
    const leases = await this.#store.list(signal);
    for (const lease of leases.filter((each) => this.#isFormer(each))) await this.#annotate(lease, change(annotationsOf(lease)), signal);
  }

  #isFormer({ metadata }: Lease): boolean {
    return (shardOfLease(this.#options.leases.name, metadata.name) ?? 0) >= this.#shards;
  }

  /**
   * Clears leases that no worker uses with this number of shards. If the number changes later, no worker must take their annotations for
   * those of its predecessor.
   */
  async #endFormerNumbers(leases: readonly Lease[], signal: AbortSignal): Promise<void> {
    const former = leases.filter((lease) => this.#isFormer(lease) && annotationsOf(lease)[LEASE_ANNOTATIONS.shards] !== undefined);
    const outdated = [LEASE_ANNOTATIONS.shards, ...(this.#options.leases.ofOneNumber ?? [])];
    for (const lease of former) await this.#annotate(lease, Object.fromEntries(outdated.map((key) => [key, null])), signal);
  }

  /** A custom Role may not name the lease. The worker leads in spite of that. */
  async #annotate(lease: Lease, changed: ReturnType<AnnotationChange>, signal: AbortSignal): Promise<void> {
    if (Object.keys(changed).length === 0) return;
    try {
      await this.#store.annotate(lease, changed, signal);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      this.#options.logger.warn("lease of a former shard not cleared", { lease: lease.metadata.name, error });
    }
  }

  #mayBegin(leases: readonly Lease[]): boolean {
    if (this.#aloneMs !== undefined && this.#aloneMs > this.#timing.leaseMs) return true;
    // There has never been more than one shard.
    return !leases.some((lease) => this.#knowsShards(lease));
  }

  #knowsShards(lease: Lease): boolean {
    return this.#shards > 1 || annotationsOf(lease)[LEASE_ANNOTATIONS.shards] !== undefined;
  }

  /**
   * Lists the Leases of all shards. If there have been no shards, and the Role is from a version without shards, `lease` alone is enough.
   */
  async #survey(lease: Lease | undefined, signal: AbortSignal): Promise<Survey> {
    const leases = await this.#store.list(signal).catch((error: unknown) => {
      if (isForbidden(error) && lease !== undefined && !this.#knowsShards(lease)) return [lease];
      throw error;
    });
    const ofShards = leases.filter(({ metadata }) => shardOfLease(this.#options.leases.name, metadata.name) !== undefined);
    for (const each of ofShards) this.#note(each);
    const other = ofShards.find((each) => this.#isOther(each));
    this.#aloneMs = other === undefined ? (this.#aloneMs ?? 0) : undefined;
    this.#report(other);
    return { leases: ofShards, other };
  }

  #isOther(lease: Lease): boolean {
    return !this.#isOver(lease) && this.#store.isHeldByAnother(lease) && shardCountOf(lease) !== this.#shards;
  }

  #report(other: Lease | undefined): void {
    const holder = other && holderOf(other);
    if (other !== undefined && holder !== this.#waitedFor) {
      this.#options.logger.info("waiting for workers with another number of shards to end", {
        lease: other.metadata.name,
        holder,
        theirShards: shardCountOf(other),
        shards: this.#shards,
      });
    }
    this.#waitedFor = holder;
  }
}

function annotationsOf({ metadata }: Lease): LeaseAnnotations {
  return metadata.annotations ?? {};
}

function isForbidden(error: unknown): boolean {
  return error instanceof KubeError && error.code === "Forbidden";
}
