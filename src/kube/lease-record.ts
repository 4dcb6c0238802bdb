import { type Lease, RESOURCES } from "../domain/kubernetes.ts";

/** Information that a leader leaves to the next one. */
export type LeaseAnnotations = Readonly<Record<string, string>>;

export const LEASES = RESOURCES.leases;

/** Returns a Lease without a holder. It has no field that two candidates could write differently, so creating it twice does no harm. */
export function emptyLease(namespace: string, name: string): Lease {
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace, name } };
}

export function holderOf(lease: Lease): string | undefined {
  const holder = lease.spec?.holderIdentity;
  return holder === null || holder === "" ? undefined : holder;
}

/** Whether any worker has ever held the lease: a release leaves the renew time in it. */
export function wasHeld({ spec }: Lease): boolean {
  return spec?.renewTime !== undefined;
}

/** Whether another worker has led since the term of `ours`. A recreated Lease that had no holder yet does not show this. */
export function isOfAnotherTerm(fresh: Lease, ours: Lease): boolean {
  const isSame = fresh.metadata.uid === ours.metadata.uid && fresh.spec?.acquireTime === ours.spec?.acquireTime;
  return wasHeld(fresh) && !isSame;
}

interface Holding {
  readonly now: number;
  /** Null removes an annotation. */
  readonly annotations: Readonly<Record<string, string | null>>;
}

/** Every write names the resourceVersion on which its decision is based: if two candidates write at once, one gets `Conflict`. */
export function acquisition(
  lease: Lease,
  identity: string,
  { seconds, now, annotations }: Holding & { readonly seconds: number },
): unknown {
  const time = microTime(now);
  const isRenewal = holderOf(lease) === identity;
  const transitions = lease.spec?.leaseTransitions ?? 0;
  const taken = { acquireTime: time, leaseTransitions: lease.spec?.acquireTime === undefined ? transitions : transitions + 1 };
  return {
    metadata: { resourceVersion: lease.metadata.resourceVersion, annotations },
    spec: { holderIdentity: identity, leaseDurationSeconds: seconds, renewTime: time, ...(isRenewal ? {} : taken) },
  };
}

/** Removes the holder, like client-go, so that the next candidate need not wait. */
export function release(lease: Lease, { now, annotations }: Holding): unknown {
  const time = microTime(now);
  return {
    metadata: { resourceVersion: lease.metadata.resourceVersion, annotations },
    spec: { holderIdentity: "", leaseDurationSeconds: 1, renewTime: time, acquireTime: time },
  };
}

/** Returns RFC 3339 with six digits, which the API server's MicroTime requires. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("Z", "000Z");
}
