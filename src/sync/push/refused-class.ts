import type { ClassStatus } from "../../domain/sync/class-status.ts";

/** Whether a status tells that the vault has refused something for want of a right. */
export function hasRefusal(status: ClassStatus | undefined): boolean {
  if (status === undefined) return false;
  const { conditions, secrets } = status;
  return (
    conditions.some(({ reason }) => reason === "Forbidden") ||
    secrets.some(({ state, data }) => state === "Forbidden" || data.some((key) => key.state === "Forbidden"))
  );
}
