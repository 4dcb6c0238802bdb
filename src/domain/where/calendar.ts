import type { ObjectUsage } from "./usage.ts";

/** Whether an object has expired, or expires soon or later. */
export type ExpiryState = "expired" | "soon" | "later";

/** An object that expires, and its users. */
export interface Expiry extends Pick<ObjectUsage, "vault" | "type" | "name" | "classes" | "secrets"> {
  /** Unix milliseconds. */
  readonly expires: number;
  readonly state: ExpiryState;
  /** `namespace/Deployment/web`, or `namespace/pod/NAME` for a bare pod. */
  readonly workloads: readonly string[];
  readonly pods: number;
}

/** Default of "soon" in milliseconds. Key Vault announces an expiry thirty days in advance. */
const SOON_MS = 30 * 86_400_000;

/**
 * Returns the objects that expire, the earliest first. With `withinMs`, returns only those that have expired or expire within that time.
 */
export function expiryCalendar(usages: readonly ObjectUsage[], now: number, withinMs?: number): readonly Expiry[] {
  const last = now + (withinMs ?? Number.POSITIVE_INFINITY);
  return usages
    .flatMap((usage): readonly Expiry[] => {
      const { vault, type, name, classes, secrets, containers, expires } = usage;
      if (expires === undefined || expires > last) return [];
      const state = expires <= now ? "expired" : expires <= now + (withinMs ?? SOON_MS) ? "soon" : "later";
      const workloads = [...new Set(containers.map((use) => `${use.namespace}/${use.workload ?? `pod/${use.pod}`}`))].sort();
      const pods = new Set(containers.map(({ namespace, pod }) => `${namespace}/${pod}`)).size;
      return [{ vault, type, name, classes, secrets, expires, state, workloads, pods }];
    })
    .sort((a, b) => a.expires - b.expires);
}

/** Parses a number of days such as `30d`. Returns milliseconds, or undefined for any other text. */
export function parseDays(text: string): number | undefined {
  const days = /^(\d{1,5})d$/.exec(text);
  return days === null ? undefined : Number(days[1]) * 86_400_000;
}
