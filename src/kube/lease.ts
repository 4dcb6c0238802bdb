import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { aborted } from "../runtime/lifecycle.ts";
import { acquisition, emptyLease, holderOf, LEASES, type Lease, type LeaseAnnotations, release, wasHeld } from "./lease-record.ts";

export interface LeaderElectionOptions {
  readonly namespace: string;
  readonly name: string;
  /** Different for every process that ever ran: the pod's name with a random part. */
  readonly identity: string;
  readonly fieldManager: string;
  readonly clock: LeaseClock;
  readonly logger: Logger;
  /** Asked at each renewal, and at the release: what the next leader is to know. What it leaves out stays as it is. */
  readonly annotations?: () => LeaseAnnotations;
  /**
   * Whether anybody has led before: asked where nobody has ever held the lease. Who deletes a lease does not end its holder, so that a lease that is
   * new is taken at once only where there can be none. Default: nobody has.
   */
  readonly hasLed?: (signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds; the defaults are client-go's: 15,000, 10,000 and 2,000. */
  readonly leaseMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
}

/** `elapsed`: milliseconds that count a sleep of the machine, too; `now` where it is not given. */
interface LeaseClock extends Clock {
  elapsed?(): number;
}

/** `before`: what the leader before left. The signal aborts when the lease is lost. */
type Lead = (signal: AbortSignal, before: LeaseAnnotations) => Promise<void>;

interface Timing {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** Throws where the times leave no room between giving up and being replaced. */
export function createLeaderElection(client: KubeClient, options: LeaderElectionOptions): LeaderElection {
  const timing = {
    leaseMs: options.leaseMs ?? 15_000,
    renewDeadlineMs: options.renewDeadlineMs ?? 10_000,
    retryMs: options.retryMs ?? 2_000,
  };
  if (timing.leaseMs <= timing.renewDeadlineMs || timing.renewDeadlineMs <= timing.retryMs) {
    throw new Error("leader election: leaseMs must exceed renewDeadlineMs, and that retryMs");
  }
  return new LeaderElection(client, options, timing);
}

/**
 * Time is measured by sleeping, never by comparing clocks: neither another machine's clock, nor our own being set, makes us take a lease
 * that is held or keep one that is lost.
 */
export class LeaderElection {
  readonly #client: KubeClient;
  readonly #options: LeaderElectionOptions;
  readonly #timing: Timing;
  #isLeader = false;
  /** By the time that has elapsed: up to then the last renewal counts. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** Of those who want a renewal at once. */
  readonly #urgent: (() => void)[] = [];
  #wake = new AbortController();
  /** The last renewal went well. */
  #isHealthy = true;

  constructor(client: KubeClient, options: LeaderElectionOptions, timing: Timing) {
    this.#client = client;
    this.#options = options;
    this.#timing = timing;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** For the sake of the annotations. Resolves when that is done, or did not work. */
  renewNow(): Promise<void> {
    if (!this.#isLeader) return Promise.resolve();
    return new Promise((resolve) => {
      this.#urgent.push(resolve);
      if (this.#isHealthy) this.#wake.abort();
    });
  }

  /** False from the moment at which a renewal is overdue, whenever this process comes to notice it. */
  get holdsLease(): boolean {
    return this.#isLeader && this.#elapsed() < this.#heldUntil;
  }

  /** Until the outer signal aborts. Rejects when the lease was lost: the process must end, since another leader may already write. */
  async run(lead: Lead, signal: AbortSignal): Promise<void> {
    try {
      const won = await this.#acquire(signal);
      if (signal.aborted) return await this.#release(won);
      this.#options.logger.info("became the leader", { lease: this.#options.name, identity: this.#options.identity });
      await this.#hold(won, lead, signal);
    } catch (error) {
      if (!(signal.aborted && error === signal.reason)) throw error;
    } finally {
      this.#isLeader = false;
    }
  }

  /** Until the lease is ours: at once where nobody can hold it, else after it was seen unchanged for its whole duration. */
  async #acquire(signal: AbortSignal): Promise<Lease> {
    let seen: string | undefined;
    let unchangedMs = 0;
    for (;;) {
      const found = await this.#tried("lease not read", () => this.#look(signal), signal);
      // A failed read says nothing of the lease: whoever renews it while it cannot be read is seen by its version afterwards.
      if (found !== undefined && found.lease.metadata.resourceVersion !== seen) {
        seen = found.lease.metadata.resourceVersion;
        unchangedMs = 0;
      }
      if (found !== undefined && (found.isFree || unchangedMs > this.#durationOf(found.lease))) {
        // A stop does not end it: of a write without an answer nobody would know what to give back. The client bounds the request.
        const { signal: unhurried } = new AbortController();
        const won = await this.#tried("lease not acquired", () => this.#write(found.lease, unhurried), signal);
        if (won !== undefined) return won;
      }
      await this.#options.clock.sleep(this.#timing.retryMs, signal);
      unchangedMs += this.#timing.retryMs;
    }
  }

  async #look(signal: AbortSignal): Promise<{ readonly lease: Lease; readonly isFree: boolean }> {
    const lease = await this.#read(signal);
    return { lease, isFree: this.#isOurs(lease) && (wasHeld(lease) || (await this.#isFirst(signal))) };
  }

  /** False as well where that cannot be said: then the lease is waited for as if somebody held it. */
  async #isFirst(signal: AbortSignal): Promise<boolean> {
    const { hasLed = async () => false } = this.#options;
    return (await this.#tried("lease not acquired", () => hasLed(signal), signal)) === false;
  }

  /** Held by nobody else. */
  #isOurs(lease: Lease): boolean {
    const holder = holderOf(lease);
    return holder === undefined || holder === this.#options.identity;
  }

  /** What the holder promised; our own setting where it says nothing. */
  #durationOf(lease: Lease): number {
    const seconds = lease.spec?.leaseDurationSeconds;
    return seconds === undefined ? this.#timing.leaseMs : seconds * 1_000;
  }

  /**
   * Leads until the outer signal aborts, `lead` ends, or the lease is lost. After a loss `lead` gets what is left until another candidate
   * can take over; after that the process must end anyhow.
   */
  async #hold(won: Lease, lead: Lead, outer: AbortSignal): Promise<void> {
    const leading = new AbortController();
    const renewing = new AbortController();
    this.#isLeader = true;
    const work = outcomeOf(lead(AbortSignal.any([outer, leading.signal]), won.metadata.annotations ?? {}));
    const renewal = outcomeOf(this.#renew(won, renewing.signal));
    const loss = renewal.then((result) => ("error" in result ? result : undefined));
    const lost = await Promise.race([loss, work.then(() => undefined), aborted(outer)]);
    if (lost !== undefined) {
      this.#isLeader = false;
      leading.abort(lost.error);
      await this.#atMost(this.#timing.leaseMs - this.#timing.renewDeadlineMs, work);
      throw lost.error;
    }
    // The lease is kept while the work ends: whoever comes next must not meet our last writes.
    const ended = await this.#atMost(this.#timing.renewDeadlineMs, work);
    renewing.abort();
    const held = await renewal;
    if (ended === undefined)
      this.#options.logger.warn("work did not end in time; the lease is left to expire", { lease: this.#options.name });
    else if ("value" in held) await this.#release(held.value);
    if (ended !== undefined && "error" in ended && !outer.aborted) throw ended.error;
  }

  /** Renews until told to stop, and resolves with the lease as last written. Rejects with `LeaseLost` when it is lost. */
  async #renew(won: Lease, stop: AbortSignal): Promise<Lease> {
    let lease = won;
    let deadline = this.#deadline(this.#timing.renewDeadlineMs);
    try {
      for (;;) {
        const signal = AbortSignal.any([stop, deadline.signal]);
        await this.#pause(signal);
        // Counted from before the request: the others count from when the write arrived.
        const next = this.#deadline(this.#timing.renewDeadlineMs);
        const renewed = await this.#answering(() => this.#tried("lease not renewed", () => this.#renewOnce(lease, signal), signal));
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
      for (const resolve of this.#urgent.splice(0)) resolve();
    }
  }

  /** Until the next renewal is due, or somebody wants one. Where the last one failed nobody can have the next one sooner. */
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

  /** Tells those who wanted the renewal when it is over, however it went. */
  async #answering(renew: () => Promise<Lease | undefined>): Promise<Lease | undefined> {
    const waiting = this.#urgent.splice(0);
    try {
      const renewed = await renew();
      this.#isHealthy = renewed !== undefined;
      return renewed;
    } finally {
      for (const resolve of waiting) resolve();
    }
  }

  async #renewOnce(lease: Lease, signal: AbortSignal): Promise<Lease> {
    // A connection that hangs must leave time for another attempt.
    const bound = this.#deadline(this.#timing.renewDeadlineMs / 2, new Error("no answer in time"));
    const bounded = AbortSignal.any([signal, bound.signal]);
    try {
      return await this.#write(lease, bounded);
    } catch (error) {
      if (!(error instanceof KubeError && (error.code === "Conflict" || error.code === "NotFound"))) throw error;
      // Somebody wrote in between: an annotation, another candidate, or our own write whose answer got lost.
      const fresh = await this.#read(bounded);
      if (!this.#isOurs(fresh)) throw new LeaseLost(`the lease is held by ${holderOf(fresh) ?? "nobody"}`);
      return await this.#write(fresh, bounded);
    } finally {
      bound.cancel();
    }
  }

  async #write(lease: Lease, signal: AbortSignal): Promise<Lease> {
    const { identity, clock, fieldManager } = this.#options;
    const now = clock.now();
    const elapsed = this.#elapsed();
    const seconds = Math.ceil(this.#timing.leaseMs / 1_000);
    const patch = acquisition(lease, identity, { seconds, now, annotations: this.#annotations() });
    const written = await this.#client.mergePatch<Lease>(LEASES, lease.metadata, patch, { fieldManager }, signal);
    // From before the request, as the others count from when it arrived.
    this.#heldUntil = elapsed + this.#timing.renewDeadlineMs;
    return written;
  }

  #elapsed(): number {
    const { clock } = this.#options;
    return clock.elapsed?.() ?? clock.now();
  }

  /** Of the leader's work alone: a candidate has done nothing. */
  #annotations(): LeaseAnnotations {
    return this.#isLeader ? (this.#options.annotations?.() ?? {}) : {};
  }

  async #release(lease: Lease): Promise<void> {
    const { clock, fieldManager, identity, logger, name } = this.#options;
    const signal = new AbortController().signal; // The client bounds the request.
    const write = (held: Lease): Promise<Lease> =>
      this.#client.mergePatch<Lease>(
        LEASES,
        held.metadata,
        release(held, { now: clock.now(), annotations: this.#annotations() }),
        { fieldManager },
        signal,
      );
    try {
      await write(lease).catch(async (error: unknown) => {
        // A renewal that was cut off by the stop may have been written all the same.
        const fresh = await this.#read(signal);
        if (holderOf(fresh) !== identity) throw error;
        return write(fresh);
      });
      logger.info("released the lease", { lease: name });
    } catch (error) {
      logger.warn("lease not released; it expires", { lease: name, error });
    }
  }

  /** The lease, created where there is none: by apply, since RBAC cannot limit a POST to one name. */
  async #read(signal: AbortSignal): Promise<Lease> {
    const { namespace, name, fieldManager } = this.#options;
    const result = await this.#client.read<Lease>(LEASES, { namespace, name }, signal);
    if (result.kind === "found") return result.object;
    return this.#client.apply<Lease>(LEASES, emptyLease(namespace, name), { fieldManager, force: false }, signal);
  }

  /** Undefined where the attempt failed in a way that the next may not. */
  async #tried<T>(message: string, attempt: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LeaseLost) throw error;
      this.#options.logger.warn(message, { lease: this.#options.name, error });
      return undefined;
    }
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
    // The sleep ends by its cancellation, which is no failure.
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

/** The lease belongs to somebody else, or may by now. */
class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

type Settled<T> = { readonly value: T } | { readonly error: unknown };

function outcomeOf<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
