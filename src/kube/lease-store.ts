import { LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import type { Lease } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { shardCountText } from "../domain/shards.ts";
import type { LeaderElectionOptions, LeaseTiming } from "./lease-options.ts";
import { acquisition, emptyLease, holderOf, LEASES, type LeaseAnnotations, release } from "./lease-record.ts";

/** A lease as written, and the elapsed time in milliseconds until which the renewal is valid. */
export interface Renewal {
  readonly written: Lease;
  readonly until: number;
}

/** Reads and writes the Leases at the API server for one candidate. */
export class LeaseStore {
  readonly #client: KubeClient;
  readonly #options: LeaderElectionOptions;
  readonly #timing: LeaseTiming;

  constructor(client: KubeClient, options: LeaderElectionOptions, timing: LeaseTiming) {
    this.#client = client;
    this.#options = options;
    this.#timing = timing;
  }

  /** Elapsed milliseconds, including time in which the machine slept if the clock can tell. */
  elapsed(): number {
    const { clock } = this.#options;
    return clock.elapsed?.() ?? clock.now();
  }

  isHeldByAnother(lease: Lease): boolean {
    const holder = holderOf(lease);
    return holder !== undefined && holder !== this.#options.identity;
  }

  /** Logs a failed attempt and returns undefined, so that the caller can try again. Throws if the lease is lost or the signal aborts. */
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

  /** Reads the lease, and creates it if it does not exist. Uses apply, because RBAC cannot limit a POST to one name. */
  async read(name: string, signal: AbortSignal): Promise<Lease> {
    const { leases, fieldManager } = this.#options;
    const { namespace } = leases;
    const result = await this.#client.read<Lease>(LEASES, { namespace, name }, signal);
    if (result.kind === "found") return result.object;
    return this.#client.apply<Lease>(LEASES, emptyLease(namespace, name), { fieldManager, force: false }, signal);
  }

  /** Lists all leases of the namespace, whatever program they belong to. */
  list(signal: AbortSignal): Promise<readonly Lease[]> {
    return this.#client.list<Lease>(LEASES, { namespace: this.#options.leases.namespace }, signal);
  }

  /** Null removes an annotation. */
  async write(lease: Lease, given: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<Renewal> {
    const { identity, clock, fieldManager, leases } = this.#options;
    const { shards = 1 } = leases;
    const now = clock.now();
    const elapsed = this.elapsed();
    const seconds = Math.ceil(this.#timing.leaseMs / 1_000);
    const isSaid = shards > 1 || lease.metadata.annotations?.[LEASE_ANNOTATIONS.shards] !== undefined;
    const annotations = { ...given, ...(isSaid ? { [LEASE_ANNOTATIONS.shards]: shardCountText(shards, identity) } : {}) };
    const patch = acquisition(lease, identity, { seconds, now, annotations });
    const written = await this.#client.mergePatch<Lease>(LEASES, lease.metadata, patch, { fieldManager }, signal);
    // Counts from before the request: other candidates count from when the write arrived.
    return { written, until: elapsed + this.#timing.renewDeadlineMs };
  }

  /** Changes these annotations of a lease that this worker does not hold; null removes an annotation. */
  async annotate({ metadata }: Lease, annotations: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<void> {
    const { resourceVersion } = metadata;
    const patch = { metadata: { resourceVersion, annotations } };
    await this.#client.mergePatch<Lease>(LEASES, metadata, patch, { fieldManager: this.#options.fieldManager }, signal);
  }

  /** Releases the lease. If this fails, the lease expires. */
  async release(lease: Lease, annotations: LeaseAnnotations): Promise<void> {
    const { clock, fieldManager, identity, logger } = this.#options;
    const { name } = lease.metadata;
    const signal = new AbortController().signal; // The client limits the time of the request.
    const write = (held: Lease): Promise<Lease> =>
      this.#client.mergePatch<Lease>(LEASES, held.metadata, release(held, { now: clock.now(), annotations }), { fieldManager }, signal);
    try {
      await write(lease).catch(async (error: unknown) => {
        // The stop may have cut off a renewal that the API server nevertheless stored.
        const fresh = await this.read(name, signal);
        if (holderOf(fresh) !== identity) throw error;
        return write(fresh);
      });
      logger.info("released the lease", { lease: name });
    } catch (error) {
      logger.warn("lease not released; it expires", { lease: name, error });
    }
  }
}

/** Another worker holds the lease, or may hold it by now. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}
