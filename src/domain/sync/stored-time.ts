import { CLOCKS_DIFFER_MS } from "../schedule/phase.ts";

/**
 * Unix milliseconds of a time that an earlier process stored; undefined where there is none that counts. One that is further ahead of our clock
 * than clocks differ says that something happened at a moment that nobody knows, and whoever needs to know it checks again. One that is a little
 * ahead was written by a clock that is a little ahead: what it says had happened by our time is what lies that difference before it.
 */
export function storedTime(text: string | undefined, now: number): number | undefined {
  const time = Date.parse(text ?? "");
  if (time <= now) return time;
  return time <= now + CLOCKS_DIFFER_MS ? time - CLOCKS_DIFFER_MS : undefined;
}

/** Kubernetes times have whole seconds. */
export function rfc3339(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}
