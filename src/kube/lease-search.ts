import { LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import { layoutOf, shardLease, shardOfLease } from "../domain/shards.ts";
import type { LeaderElectionOptions, Timing } from "./lease-options.ts";
import { holderOf, type Lease, wasHeld } from "./lease-record.ts";
import type { LeaseStore, Renewal } from "./lease-store.ts";

interface Seen {
  readonly resourceVersion: string | undefined;
  unchangedMs: number;
}

/**
 * A candidate's way to a lease, in time that it has slept. Candidates that disagree about the number of shards exclude each other as in Dekker's
 * algorithm: each writes its own lease, and leads only if it then finds no lease of another number held. Of two that do so at once at least
 * one finds the other.
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

  /** Until a lease is ours: at once where nobody can hold it, else after it was seen unchanged for its whole duration. */
  async acquire(signal: AbortSignal): Promise<Renewal> {
    const { name, shards = 1, clock } = this.#options;
    const names = Array.from({ length: shards }, (_, shard) => shardLease(name, shard));
    for (;;) {
      const found = await Promise.all(names.map((each) => this.tried("lease not read", each, () => this.#look(each, signal), signal)));
      for (const { lease, isFree } of found.filter((each) => each !== undefined)) {
        if (!isFree) continue;
        const won = await this.tried("lease not acquired", lease.metadata.name, () => this.#take(lease, signal), signal);
        if (won !== undefined) return won;
      }
      await clock.sleep(this.#timing.retryMs, signal);
      for (const seen of this.#seen.values()) seen.unchangedMs += this.#timing.retryMs;
      if (this.#aloneMs !== undefined) this.#aloneMs += this.#timing.retryMs;
    }
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

  async #look(name: string, signal: AbortSignal): Promise<{ readonly lease: Lease; readonly isFree: boolean }> {
    const lease = await this.#store.read(name, signal);
    const isOver = this.#isOver(lease);
    return { lease, isFree: isOver || (this.#store.isOurs(lease) && (wasHeld(lease) || (await this.#isFirst(name, signal)))) };
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
  async #take(lease: Lease, signal: AbortSignal): Promise<Renewal | undefined> {
    const { shards = 1 } = this.#options;
    if (await this.meetsOthers(lease, signal)) return undefined;
    // Somebody may have deleted the lease of a holder, who makes it anew before it would have ended.
    const isAloneForLong = this.#aloneMs !== undefined && this.#aloneMs > this.#timing.leaseMs;
    if (layoutOf(lease) !== shards && wasHeld(lease) && !isAloneForLong) return undefined;
    // A stop does not end it: of a write without an answer nobody would know what to give back. The client bounds the request.
    const { signal: unhurried } = new AbortController();
    const won = await this.#store.write(lease, {}, unhurried);
    let isAlone = false;
    try {
      isAlone = !(await this.meetsOthers(won.written, unhurried));
    } finally {
      if (!isAlone) await this.#store.release(won.written, {});
    }
    return isAlone ? won : undefined;
  }

  /** Whether somebody works with another number of shards. */
  async meetsOthers(lease: Lease, signal: AbortSignal): Promise<boolean> {
    const { shards = 1, logger } = this.#options;
    try {
      const leases = await this.#store.list(signal);
      const other = leases.find((each) => this.#isOther(each));
      this.#aloneMs = other === undefined ? (this.#aloneMs ?? 0) : undefined;
      const holder = other === undefined ? undefined : holderOf(other);
      if (other !== undefined && holder !== this.#waitedFor) {
        logger.info("waiting for workers with another number of shards to end", {
          lease: other.metadata.name,
          holder,
          theirShards: layoutOf(other),
          shards,
        });
      }
      this.#waitedFor = holder;
      return other !== undefined;
    } catch (error) {
      // Roles from before there were shards do not allow the list; there were none then.
      const isOfOld = shards === 1 && lease.metadata.annotations?.[LEASE_ANNOTATIONS.shards] === undefined;
      if (isOfOld && error instanceof KubeError && error.code === "Forbidden") return false;
      throw error;
    }
  }

  #isOther(lease: Lease): boolean {
    const { name, shards = 1 } = this.#options;
    if (shardOfLease(name, lease.metadata.name) === undefined) return false;
    // Asked also of those that are free: what was seen before is what time counts from.
    const isOver = this.#isOver(lease);
    return !isOver && !this.#store.isOurs(lease) && layoutOf(lease) !== shards;
  }
}

/** The lease belongs to somebody else, or may by now. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}
