import { LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import { layoutOf, shardLease, shardOfLease } from "../domain/shards.ts";
import type { LeaderElectionOptions, Timing } from "./lease-options.ts";
import { holderOf, type Lease, type LeaseAnnotations, wasHeld } from "./lease-record.ts";
import type { LeaseStore, Renewal } from "./lease-store.ts";

interface Seen {
  readonly resourceVersion: string | undefined;
  unchangedMs: number;
}

/** What the Leases of all shards say. */
interface Survey {
  readonly leases: readonly Lease[];
  /** Held by a worker with another number of shards. */
  readonly other: Lease | undefined;
}

interface Look {
  readonly lease: Lease;
  readonly isFree: boolean;
  /** Nobody has ever led. */
  readonly isFirst: boolean;
}

/** What those have left who led before. */
export interface Former {
  /** Of the leader of the same Lease, where it had as many shards; else only what holds of any. */
  readonly annotations: LeaseAnnotations;
  /** Of the other Leases, where the number of shards was another one: the classes of this one may have been theirs. */
  readonly others: readonly LeaseAnnotations[];
}

export interface Won extends Renewal {
  readonly former: Former;
}

/**
 * A candidate's way to a lease, in time that it has slept. Candidates that disagree about the number of shards exclude each other as in Dekker's
 * algorithm: each writes its own lease, and leads only if it then finds no lease of another number held. Of two that do so at once at least
 * one finds the other. A holder whose lease somebody deleted cannot be found: it looks itself when it makes the lease anew, and where there have been
 * shards a candidate begins only after it has found nobody for as long as a lease lasts.
 */
export class LeaseSearch {
  readonly #store: LeaseStore;
  readonly #options: LeaderElectionOptions;
  readonly #timing: Timing;
  readonly #seen = new Map<string, Seen>();
  /** Since no lease of another number of shards was found held; undefined: one was, or nobody has looked. */
  #aloneMs: number | undefined;
  /** Who was waited for last, so that each is told once. */
  #waitedFor: string | undefined;

  constructor(store: LeaseStore, options: LeaderElectionOptions, timing: Timing) {
    this.#store = store;
    this.#options = options;
    this.#timing = timing;
  }

  get #shards(): number {
    return this.#options.shards ?? 1;
  }

  /** Until a lease is ours: at once where nobody can hold it, else after it was seen unchanged for its whole duration. */
  async acquire(signal: AbortSignal): Promise<Won> {
    const { name, clock } = this.#options;
    const names = Array.from({ length: this.#shards }, (_, shard) => shardLease(name, shard));
    for (;;) {
      const looks = await Promise.all(names.map((each) => this.tried("lease not read", each, () => this.#look(each, signal), signal)));
      const found = looks.filter((each) => each !== undefined);
      // Whatever is free: who leads now with another number counts, too.
      if (found.some(({ lease }) => this.#knowsShards(lease)))
        await this.tried("leases not listed", name, () => this.#survey(undefined, signal), signal);
      for (const look of found) {
        if (!look.isFree) continue;
        const won = await this.tried("lease not acquired", look.lease.metadata.name, () => this.#take(look, signal), signal);
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

  /** Undefined where the attempt failed in a way that the next may not. */
  async tried<T>(message: string, lease: string, attempt: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LeaseLost) throw error;
      this.#options.logger.warn(message, { lease, error });
      return undefined;
    }
  }

  async #look(name: string, signal: AbortSignal): Promise<Look> {
    const lease = await this.#store.read(name, signal);
    const isOver = this.#isOver(lease);
    const isFirst = !isOver && !wasHeld(lease) && (await this.#isFirst(name, signal));
    return { lease, isFree: isOver || (this.#store.isOurs(lease) && (wasHeld(lease) || isFirst)), isFirst };
  }

  /** False as well where that cannot be said: then the lease is waited for as if somebody held it. */
  async #isFirst(name: string, signal: AbortSignal): Promise<boolean> {
    const { hasLed = async () => false } = this.#options;
    return (await this.tried("lease not acquired", name, () => hasLed(signal), signal)) === false;
  }

  /**
   * Whether nobody has renewed the lease for as long as its holder promised to. A failed read says nothing of a lease: whoever renews it while
   * it cannot be read is seen by its version afterwards.
   */
  #isOver({ metadata, spec }: Lease): boolean {
    const seen = this.#seen.get(metadata.name);
    if (seen === undefined || seen.resourceVersion !== metadata.resourceVersion) {
      this.#seen.set(metadata.name, { resourceVersion: metadata.resourceVersion, unchangedMs: 0 });
      return false;
    }
    const seconds = spec?.leaseDurationSeconds;
    return seen.unchangedMs > (seconds === undefined ? this.#timing.leaseMs : seconds * 1_000);
  }

  /** Undefined where workers with another number of shards are still at work, or may be. */
  async #take({ lease, isFirst }: Look, signal: AbortSignal): Promise<Won | undefined> {
    const before = await this.#survey(lease, signal);
    if (before.other !== undefined || !(isFirst || this.#mayBegin(before))) return undefined;
    const isOfSameNumber = layoutOf(lease) === this.#shards;
    const forgotten = isOfSameNumber ? [] : (this.#options.ofOneNumber ?? []);
    // A stop does not end it: of a write without an answer nobody would know what to give back. The client bounds the request.
    const { signal: unhurried } = new AbortController();
    const won = await this.#store.write(lease, Object.fromEntries(forgotten.map((key) => [key, null])), unhurried);
    let isAlone = false;
    try {
      isAlone = !(await this.meetsOthers(won.written, unhurried));
    } finally {
      if (!isAlone) await this.#store.release(won.written, {});
    }
    const annotations = Object.fromEntries(Object.entries(annotationsOf(lease)).filter(([key]) => !forgotten.includes(key)));
    const others = before.leases.filter(({ metadata }) => metadata.name !== lease.metadata.name).map(annotationsOf);
    return isAlone ? { ...won, former: { annotations, others: isOfSameNumber ? [] : others } } : undefined;
  }

  #mayBegin({ leases }: Survey): boolean {
    if (this.#aloneMs !== undefined && this.#aloneMs > this.#timing.leaseMs) return true;
    // There has never been more than the one lease.
    return this.#shards === 1 && leases.length <= 1 && !leases.some((lease) => this.#knowsShards(lease));
  }

  #knowsShards(lease: Lease): boolean {
    return this.#shards > 1 || annotationsOf(lease)[LEASE_ANNOTATIONS.shards] !== undefined;
  }

  /** `lease`: where there have been no shards, and the Role is from before there were any, it alone says enough. */
  async #survey(lease: Lease | undefined, signal: AbortSignal): Promise<Survey> {
    const leases = await this.#leasesBesides(lease, signal);
    const other = leases.find((each) => this.#isOther(each));
    this.#aloneMs = other === undefined ? (this.#aloneMs ?? 0) : undefined;
    const holder = other && holderOf(other);
    if (other !== undefined && holder !== this.#waitedFor) {
      this.#options.logger.info("waiting for workers with another number of shards to end", {
        lease: other.metadata.name,
        holder,
        theirShards: layoutOf(other),
        shards: this.#shards,
      });
    }
    this.#waitedFor = holder;
    return { leases, other };
  }

  async #leasesBesides(lease: Lease | undefined, signal: AbortSignal): Promise<readonly Lease[]> {
    try {
      const leases = await this.#store.list(signal);
      return leases.filter(({ metadata }) => shardOfLease(this.#options.name, metadata.name) !== undefined);
    } catch (error) {
      const isForbidden = error instanceof KubeError && error.code === "Forbidden";
      if (isForbidden && lease !== undefined && !this.#knowsShards(lease)) return [lease];
      throw error;
    }
  }

  #isOther(lease: Lease): boolean {
    // Asked also of those that are free: what was seen before is what time counts from.
    const isOver = this.#isOver(lease);
    return !isOver && !this.#store.isOurs(lease) && layoutOf(lease) !== this.#shards;
  }
}

function annotationsOf({ metadata }: Lease): LeaseAnnotations {
  return metadata.annotations ?? {};
}

/** The lease belongs to somebody else, or may by now. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}
