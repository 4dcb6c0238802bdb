import type { ClassStatus } from "../../domain/sync/class-status.ts";
import { WeakCache } from "../../domain/weak-cache.ts";

/** By the status, which is another object after each change: all classes of a vault are asked for at each event of its rights. */
const refusals = new WeakCache<ClassStatus, boolean>();

/** Whether a status tells that the vault has refused something for want of a right. */
export function hasRefusal(status: ClassStatus | undefined): boolean {
  return status !== undefined && refusals.getOrCreate(status, () => isRefusal(status));
}

function isRefusal({ conditions, secrets, objects = [] }: ClassStatus): boolean {
  return (
    conditions.some(({ reason }) => reason === "Forbidden") ||
    secrets.some(({ state, data }) => state === "Forbidden" || data.some((key) => key.state === "Forbidden")) ||
    objects.some(({ state }) => state === "Forbidden")
  );
}
