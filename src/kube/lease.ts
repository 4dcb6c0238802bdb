import type { Lease } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import { aborted } from "../runtime/lifecycle.ts";
import type { LeaderElectionOptions, LeaseTiming } from "./lease-options.ts";
import { holderOf, isOfAnotherTerm, type LeaseAnnotations } from "./lease-record.ts";
import { type AnnotationChange, LeaseSearch, type Term, type Won } from "./lease-search.ts";
import { LeaseLost, LeaseStore } from "./lease-store.ts";

/** The signal aborts when the lease is lost. */
type Lead = (signal: AbortSignal, term: Term) => Promise<void>;

const OF_CLIENT_GO: LeaseTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** Throws if the times leave no room between the moment when a leader gives up and the moment when another replaces it. */
export function createLeaderElection(client: KubeClient, options: LeaderElectionOptions): LeaderElection {
  const { timing = OF_CLIENT_GO } = options;
  if (timing.leaseMs <= timing.renewDeadlineMs || timing.renewDeadlineMs <= timing.retryMs) {
    throw new Error("leader election: leaseMs must exceed renewDeadlineMs, and that retryMs");
  }
  return new LeaderElection(client, options, timing);
}

/**
 * Elects a leader. It measures time by sleeping and never compares clocks: neither another machine's clock nor a change of our own makes
 * this worker take a lease that is held, or keep one that is lost.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #timing: LeaseTiming;
  readonly #store: LeaseStore;
  readonly #search: LeaseSearch;
  #isLeader = false;
  /** Elapsed time until which the last renewal is valid. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** Callbacks of the callers that want a renewal at once. */
  readonly #urgent: ((isRenewed: boolean) => void)[] = [];
  #wake = new AbortController();
  /**
   * Whether the lease may not have shown this worker as its holder, and the worker has not yet checked if another one started in the
   * meantime.
   */
  #mustCheckOthers = false;
  /** Whether the last renewal succeeded. */
  #isHealthy = true;

  constructor(client: KubeClient, options: LeaderElectionOptions, timing: LeaseTiming) {
    this.#options = options;
    this.#timing = timing;
    this.#store = new LeaseStore(client, options, timing);
    this.#search = new LeaseSearch(this.#store, options, timing);
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** Renews at once, to write the annotations. Resolves with whether the renewal succeeded. */
  renewNow(): Promise<boolean> {
    if (!this.#isLeader) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#urgent.push(resolve);
      if (this.#isHealthy) this.#wake.abort();
    });
  }

  /**
   * Changes the annotations of Leases that no shard uses any more; null removes an annotation. An error is logged: the next leader does
   * this again.
   */
  async clearFormer(change: AnnotationChange, signal: AbortSignal): Promise<void> {
    await this.#store.tried(
      "lease of a former shard not cleared",
      this.#options.leases.name,
      () => this.#search.clearFormer(change, signal),
      signal,
    );
  }

  /** False from the moment at which a renewal is overdue, even if this process notices it later. */
  get holdsLease(): boolean {
    return this.#isLeader && this.#store.elapsed() < this.#heldUntil;
  }

  /**
   * Runs until the outer signal aborts. Rejects if the lease is lost: the process must then end, since another leader may already write.
   */
  async run(lead: Lead, signal: AbortSignal): Promise<void> {
    try {
      const won = await this.#search.acquire(signal);
      if (signal.aborted) return await this.#store.release(won.written, {});
      this.#heldUntil = won.until;
      this.#options.logger.info("became the leader", { lease: won.written.metadata.name, identity: this.#options.identity });
      await this.#hold(won, lead, signal);
    } catch (error) {
      if (!(signal.aborted && error === signal.reason)) throw error;
    } finally {
      this.#isLeader = false;
    }
  }

  /**
   * Leads until the outer signal aborts, `lead` ends, or the lease is lost. After a loss, `lead` has the time that remains until another
   * candidate can take over. After that, the process must end anyway.
   */
  async #hold({ written: won, term }: Won, lead: Lead, outer: AbortSignal): Promise<void> {
    const leading = new AbortController();
    const renewing = new AbortController();
    this.#isLeader = true;
    const { name } = won.metadata;
    const work = outcomeOf(lead(AbortSignal.any([outer, leading.signal]), term));
    const renewal = outcomeOf(this.#renew(won, renewing.signal));
    const loss = renewal.then((result) => ("error" in result ? result : undefined));
    const lost = await Promise.race([loss, work.then(() => undefined), aborted(outer)]);
    if (lost !== undefined) {
      this.#isLeader = false;
      leading.abort(lost.error);
      await this.#atMost(this.#timing.leaseMs - this.#timing.renewDeadlineMs, work);
      throw lost.error;
    }
    // Keeps the lease while the work ends: the next leader must not meet our last writes.
    const ended = await this.#atMost(this.#timing.renewDeadlineMs, work);
    renewing.abort();
    const held = await renewal;
    if (ended === undefined) this.#options.logger.warn("work did not end in time; the lease is left to expire", { lease: name });
    else if ("value" in held) await this.#store.release(held.value, this.#annotations());
    if (ended !== undefined && "error" in ended && !outer.aborted) throw ended.error;
  }

  /** Renews until `stop` aborts, and resolves with the lease as last written. Rejects with `LeaseLost` if the lease is lost. */
  async #renew(won: Lease, stop: AbortSignal): Promise<Lease> {
    let lease = won;
    let deadline = this.#deadline(this.#timing.renewDeadlineMs);
    try {
      for (;;) {
        const signal = AbortSignal.any([stop, deadline.signal]);
        await this.#pause(signal);
        // Counted from before the request: the other candidates count from when the write arrived.
        const next = this.#deadline(this.#timing.renewDeadlineMs);
        const renewed = await this.#answering(() =>
          this.#store.tried("lease not renewed", lease.metadata.name, () => this.#renewOnce(lease, signal), signal),
        );
        (renewed === undefined ? next : deadline).cancel();
        if (renewed === undefined) continue;
        lease = renewed;
        deadline = next;
      }
    } catch (error) {
      if (stop.aborted) return lease;
      throw error;
    } finally {
      deadline.cancel();
      for (const resolve of this.#urgent.splice(0)) resolve(false);
    }
  }

  /** Waits until the next renewal is due or a caller wants one. If the last renewal failed, no caller can have the next one sooner. */
  async #pause(signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    if (this.#urgent.length > 0 && this.#isHealthy) return;
    const { signal: woken } = this.#wake;
    try {
      await this.#options.clock.sleep(this.#timing.retryMs, AbortSignal.any([signal, woken]));
    } catch (error) {
      if (signal.aborted || !woken.aborted) throw error;
    }
  }

  /** Resolves the waiting callers when the renewal is over, whether it succeeded or failed. */
  async #answering(renew: () => Promise<Lease | undefined>): Promise<Lease | undefined> {
    const waiting = this.#urgent.splice(0);
    let renewed: Lease | undefined;
    try {
      renewed = await renew();
      this.#isHealthy = renewed !== undefined;
      return renewed;
    } finally {
      for (const resolve of waiting) resolve(renewed !== undefined);
    }
  }

  async #renewOnce(lease: Lease, signal: AbortSignal): Promise<Lease> {
    // A connection that hangs must leave time for another attempt.
    const bound = this.#deadline(this.#timing.renewDeadlineMs / 2, new Error("no answer in time"));
    const bounded = AbortSignal.any([signal, bound.signal]);
    try {
      return await this.#renewed(lease, bounded);
    } catch (error) {
      if (!(error instanceof KubeError && (error.code === "Conflict" || error.code === "NotFound"))) throw error;
      // There was another write in between: an annotation, another candidate, or our own write whose response got lost.
      const fresh = await this.#store.read(lease.metadata.name, bounded);
      if (this.#store.isHeldByAnother(fresh)) throw new LeaseLost(`the lease is held by ${holderOf(fresh) ?? "another worker"}`);
      if (holderOf(fresh) === undefined) {
        if (isOfAnotherTerm(fresh, lease)) throw new LeaseLost("another worker has led in the meantime");
        // Without the lease, or with a lease that names no holder, other workers could not find this one.
        this.#mustCheckOthers = true;
      }
      return await this.#renewed(fresh, bounded);
    } finally {
      bound.cancel();
    }
  }

  /** Workers with another number of shards do not write this lease. If they did not find it held, they may have started. */
  async #renewed(lease: Lease, signal: AbortSignal): Promise<Lease> {
    const { written, until } = await this.#store.write(lease, this.#annotations(), signal);
    if (!this.holdsLease) this.#mustCheckOthers = true;
    if (this.#mustCheckOthers && (await this.#search.meetsOthers(written, signal)))
      throw new LeaseLost("the lease was free for a while, and workers with another number of shards have started");
    this.#mustCheckOthers = false;
    this.#heldUntil = until;
    return written;
  }

  /** Returns annotations only for the leader: a candidate has done nothing. */
  #annotations(): LeaseAnnotations {
    return this.#isLeader ? (this.#options.annotations?.() ?? {}) : {};
  }

  async #atMost<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
    const deadline = this.#deadline(milliseconds);
    try {
      return await Promise.race([promise, aborted(deadline.signal).then(() => undefined)]);
    } finally {
      deadline.cancel();
    }
  }

  #deadline(milliseconds: number, reason: Error = new LeaseLost(`the lease was not renewed within ${milliseconds} ms`)): Deadline {
    const over = new AbortController();
    const cancelled = new AbortController();
    // The sleep rejects when it is cancelled, which is not a failure.
    this.#options.clock.sleep(milliseconds, cancelled.signal).then(
      () => over.abort(reason),
      () => undefined,
    );
    return { signal: over.signal, cancel: () => cancelled.abort() };
  }
}

interface Deadline {
  readonly signal: AbortSignal;
  cancel(): void;
}

type Settled<T> = { readonly value: T } | { readonly error: unknown };

function outcomeOf<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
