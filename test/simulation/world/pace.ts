/**
 * The pace of periodic work in a world. A share of the worlds has the product's own pace. The others have less of the most frequent and
 * least interesting events.
 */
import type { LeaseTiming } from "../../../src/kube/lease-options.ts";
import type { Random } from "../time/random.ts";

export interface Pace {
  /** Undefined: the product's own. */
  readonly lease: LeaseTiming | undefined;
  /** Milliseconds between two probes of the kubelet. */
  readonly probeEveryMs: number;
  /** Flags of the worker. */
  readonly flags: readonly string[];
}

/** As in the manifests and the product. */
export const PROBE_EVERY_MS = 10_000;

/** With the product's own timing, a sixth of a world's events are renewals of the lease, and a quarter are watches of components. */
const SLOW_LEASE: LeaseTiming = { leaseMs: 120_000, renewDeadlineMs: 80_000, retryMs: 20_000 };

export function drawPace(random: Random, isOwn: boolean): Pace {
  const isUsual = random.chance(0.2) || isOwn;
  const healsComponents = random.chance(0.15);
  return {
    lease: isUsual ? undefined : SLOW_LEASE,
    probeEveryMs: isUsual ? PROBE_EVERY_MS : 60_000,
    flags: healsComponents ? [] : ["--heal=crds,classes"],
  };
}
