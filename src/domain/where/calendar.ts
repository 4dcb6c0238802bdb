import type { ObjectUsage } from "./usage.ts";

/** Whether an object has expired, or will. */
export type ExpiryState = "expired" | "soon" | "later";

/** An object that expires, with who would notice. */
export interface Expiry extends Pick<ObjectUsage, "vault" | "type" | "name" | "classes" | "secrets"> {
  /** Unix milliseconds. */
  readonly expires: number;
  readonly state: ExpiryState;
  /** `namespace/Deployment/web`, or `namespace/pod/NAME` for a bare pod. */
  readonly workloads: readonly string[];
  readonly pods: number;
}

/** What counts as soon where nobody says (milliseconds): Key Vault tells of an expiry thirty days before. */
const SOON_MS = 30 * 86_400_000;

/** The objects that expire, the first first. `withinMs`: those alone that have expired, or will within that time. */
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

/** `30d`, `36h`, or what else a duration may be written as in days, hours, minutes and seconds; milliseconds. Undefined for anything else. */
export function parseDays(text: string): number | undefined {
  const days = /^(\d{1,5})d$/.exec(text);
  return days === null ? undefined : Number(days[1]) * 86_400_000;
}
