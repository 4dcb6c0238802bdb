/**
 * Unix milliseconds of a time that an earlier process stored; undefined where there is none that counts. One that is ahead of our clock was
 * written by another clock: what it says happened at a moment that nobody knows, and whoever needs to know it asks again.
 */
export function storedTime(text: string | undefined, now: number): number | undefined {
  const time = Date.parse(text ?? "");
  return time <= now ? time : undefined;
}
