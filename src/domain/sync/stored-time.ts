import { CLOCKS_DIFFER_MS } from "../schedule/phase.ts";

/**
 * Returns a time that an earlier process stored, in Unix milliseconds; undefined if there is none that is valid. If the time is further
 * ahead than clocks can differ, the true time is unknown, and the caller checks again. If it is a little ahead, the clock that wrote it was
 * ahead, so this subtracts the largest difference between clocks.
 */
export function storedTime(text: string | undefined, now: number): number | undefined {
  const time = Date.parse(text ?? "");
  if (time <= now) return time;
  return time <= now + CLOCKS_DIFFER_MS ? time - CLOCKS_DIFFER_MS : undefined;
}

/** Returns an RFC 3339 time with whole seconds, as in Kubernetes. */
export function rfc3339(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}
