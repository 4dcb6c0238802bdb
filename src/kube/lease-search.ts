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
  /** Nobody has ever led. */
  readonly isFirst: boolean;
}

interface Survey {
  readonly leases: readonly Lease[];
  /** Held by a worker with another number of shards. */
  readonly other: Lease | undefined;
}

/** What a leader leads, and what those have left who led before. */
export interface Term {
  /** From 0. */
  readonly shard: number;
  /** Of the leader of the same Lease, where it counted as many shards; else only what holds for any number. */
  readonly annotations: LeaseAnnotations;
  /** Of the other Leases: what is this leader's may have been theirs, under another number of shards. */
  readonly others: readonly LeaseAnnotations[];
}

export interface Won extends Renewal {
  readonly term: Term;
}

/**
 * A candidate's way to a lease, in time that it has slept. Candidates that disagree about the number of shards exclude each other as in Dekker's
 * algorithm: each writes its own lease, and leads only if it then finds no lease of another number held. Of two that do so at once at least
 * one finds the other. A holder whose lease somebody deleted cannot be found: it checks itself when it makes the lease anew, and where there have been
 * shards a candidate begins only after it has found nobody for as long as a lease lasts.
 */
export class LeaseSearch {
  readonly #store: LeaseStore;
  readonly #options: LeaderElectionOptions;
  readonly #timing: LeaseTiming;
  readonly #seen = new Map<string, Seen>();
  /** Since no lease of another number of shards was found held; undefined: one was, or nobody has asked. */
  #aloneMs: number | undefined;
  /** Who was waited for last, so that each is told once. */
  #waitedFor: string | undefined;

  constructor(store: LeaseStore, options: LeaderElectionOptions, timing: LeaseTiming) {
    this.#store = store;
    this.#options = options;
    this.#timing = timing;
  }

  get #shards(): number {
    return this.#options.leases.shards ?? 1;
  }

  /** Until a lease is ours: at once where nobody can hold it, else after it was seen unchanged for its whole duration. */
  async acquire(signal: AbortSignal): Promise<Won> {
    const { leases, clock } = this.#options;
    const { name } = leases;
    const names = Array.from({ length: this.#shards }, (_, shard) => shardLease(name, shard));
    for (;;) {
      const read = await Promise.all(
        names.map((each) => this.#store.tried("lease not read", each, () => this.#observe(each, signal), signal)),
      );
      const found = read.filter((each) => each !== undefined);
      // Whatever is free: who leads now with another number counts, too.
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

  /** Whether somebody works with another number of shards. */
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

  /** False as well where that cannot be said: then the lease is waited for as if somebody held it. */
  async #isFirst(name: string, signal: AbortSignal): Promise<boolean> {
    const { hasLed = async () => false } = this.#options;
    return (await this.#store.tried("lease not acquired", name, () => hasLed(signal), signal)) === false;
  }

  /** A failed read says nothing of a lease: whoever renews it while it cannot be read is seen by its version afterwards. */
  #note({ metadata }: Lease): void {
    const { name, resourceVersion } = metadata;
    if (this.#seen.get(name)?.resourceVersion !== resourceVersion) this.#seen.set(name, { resourceVersion, unchangedMs: 0 });
  }

  /** Whether nobody has renewed the lease for as long as its holder promised to. */
  #isOver({ metadata, spec }: Lease): boolean {
    const seconds = spec?.leaseDurationSeconds;
    const { unchangedMs = 0 } = this.#seen.get(metadata.name) ?? {};
    return unchangedMs > (seconds === undefined ? this.#timing.leaseMs : seconds * 1_000);
  }

  /** Undefined where workers with another number of shards are still at work, or may be. */
  async #take({ lease, isFirst }: Observed, shard: number, signal: AbortSignal): Promise<Won | undefined> {
    const { leases, other } = await this.#survey(lease, signal);
    if (other !== undefined || !(isFirst || this.#mayBegin(leases))) return undefined;
    const isOfSameNumber = shardCountOf(lease) === this.#shards;
    const outdated = isOfSameNumber ? [] : (this.#options.leases.ofOneNumber ?? []);
    // A stop does not end it: of a write without an answer nobody would know what to give back. The client bounds the request.
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
    return isAlone ? { ...won, term: { shard, annotations: annotationsOf(won.written), others } } : undefined;
  }

  /** Leases that nobody holds under this number: under the next one, or the former again, nobody is to take them for those of the leader before. */
  async #endFormerNumbers(leases: readonly Lease[], signal: AbortSignal): Promise<void> {
    const former = leases.filter((lease) => {
      const index = shardOfLease(this.#options.leases.name, lease.metadata.name) ?? 0;
      return index >= this.#shards && annotationsOf(lease)[LEASE_ANNOTATIONS.shards] !== undefined;
    });
    const outdated = [LEASE_ANNOTATIONS.shards, ...(this.#options.leases.ofOneNumber ?? [])];
    for (const lease of former) await this.#forget(lease, outdated, signal);
  }

  /** A Role of somebody's own may not name the lease: that is no reason to lead nothing. */
  async #forget(lease: Lease, outdated: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      await this.#store.forget(lease, outdated, signal);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      this.#options.logger.warn("lease of a former shard not cleared", { lease: lease.metadata.name, error });
    }
  }

  #mayBegin(leases: readonly Lease[]): boolean {
    if (this.#aloneMs !== undefined && this.#aloneMs > this.#timing.leaseMs) return true;
    // There has never been more than one.
    return !leases.some((lease) => this.#knowsShards(lease));
  }

  #knowsShards(lease: Lease): boolean {
    return this.#shards > 1 || annotationsOf(lease)[LEASE_ANNOTATIONS.shards] !== undefined;
  }

  /** The Leases of all shards. `lease`: where there have been none, and the Role is from before there were any, it alone says enough. */
  async #survey(lease: Lease | undefined, signal: AbortSignal): Promise<Survey> {
    const leases = await this.#store.list(signal).catch((error: unknown) => {
      if (isForbidden(error) && lease !== undefined && !this.#knowsShards(lease)) return [lease];
      throw error;
    });
    const ofShards = leases.filter(({ metadata }) => shardOfLease(this.#options.leases.name, metadata.name) !== undefined);
    for (const each of ofShards) this.#note(each);
    const other = ofShards.find((each) => this.#isOther(each));
    this.#aloneMs = other === undefined ? (this.#aloneMs ?? 0) : undefined;
    this.#tell(other);
    return { leases: ofShards, other };
  }

  #isOther(lease: Lease): boolean {
    return !this.#isOver(lease) && this.#store.isHeldByAnother(lease) && shardCountOf(lease) !== this.#shards;
  }

  #tell(other: Lease | undefined): void {
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
