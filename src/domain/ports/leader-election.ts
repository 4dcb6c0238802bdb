/** What a leader leaves to the next: annotations of the lease. */
export type LeaseAnnotations = Readonly<Record<string, string>>;

/** Holds a coordination.k8s.io Lease. */
export interface LeaderElection {
  readonly isLeader: boolean;
  /** Leads, and nobody else can by now: false from the moment at which a renewal is overdue, whenever this process comes to notice it. */
  readonly holdsLease: boolean;
  /** Renews at once, for the sake of the annotations. Resolves when that is done, or did not work. */
  renewNow(): Promise<void>;
  /**
   * Blocks until the lease is won, calls `lead` with a signal that aborts when it is lost and with what the leader before left, and
   * resolves when the outer signal aborts (the lease is then released). Rejects when the lease was lost: the process must end, since another leader may already write.
   */
  run(lead: (signal: AbortSignal, before: LeaseAnnotations) => Promise<void>, signal: AbortSignal): Promise<void>;
}
