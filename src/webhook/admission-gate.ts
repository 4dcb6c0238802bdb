import { createLoopTime } from "../runtime/loop-time.ts";
import { VERIFIED } from "../runtime/peer.ts";

/**
 * Reviews that are read, wait or are decided at the same time. One takes about a millisecond of CPU, so that the last of a thousand waits
 * a second: below the API server's timeout of five, and enough for five hundred pods at once beside a flood of as many.
 */
const MOST_REVIEWS = 1_000;

/**
 * Bodies or what their values become, and answers, held at the same time. Long texts take two or three times that; the limit of the
 * container is 256 MiB.
 */
const MOST_BYTES = 24 * 1024 * 1024;

/** An API server sends a body in one go. One of which nothing comes for as long is the first to go where there is no room. */
const SLOW_MS = 250;

/** What a review takes up. */
export interface AdmissionPlace {
  /** It holds so many bytes now. False: there is no room for them. */
  hold(bytes: number): boolean;
  /** Its body is whole: it is not slow any more. */
  complete(): void;
  leave(): void;
}

/** Bounds what is worked on at once. */
export interface AdmissionGate {
  /** `displace` is called where the place is needed for another: it is lost then. Undefined: no room, refuse at once. */
  enter(peer: string, displace: () => void): AdmissionPlace | undefined;
}

export interface GateLimits {
  readonly reviews: number;
  readonly bytes: number;
}

interface Entry {
  readonly peer: string;
  readonly displace: () => void;
  /** When something last came of it. */
  since: number;
  bytes: number;
  isComplete: boolean;
}

type Measure = (entry: Entry) => number;

/**
 * Only what has arrived is counted, never what is claimed. Where there is no room, the review that came last displaces one: a slow body of
 * anybody, else one of the peer that has the most. So a share binds only where others would go without, and of one's own the oldest makes
 * room for the newest, which is the likeliest to be waited for.
 */
export function createAdmissionGate({ reviews, bytes }: GateLimits = { reviews: MOST_REVIEWS, bytes: MOST_BYTES }): AdmissionGate {
  const inside = new Set<Entry>();
  const { now, start } = createLoopTime(() => inside.size > 0);
  let held = 0;

  const remove = (entry: Entry): boolean => {
    if (!inside.delete(entry)) return false;
    held -= entry.bytes;
    return true;
  };
  const displace = (entry: Entry): void => {
    if (remove(entry)) entry.displace();
  };
  const hold = (entry: Entry, size: number): boolean => {
    if (!inside.has(entry)) return false;
    held += size - entry.bytes;
    entry.bytes = size;
    entry.since = now();
    for (;;) {
      if (held <= bytes || inside.size === 1) return true;
      const loser = slowest(inside, now()) ?? largestOfLargest(inside);
      if (loser === undefined) return true;
      if (loser === entry) {
        remove(entry);
        return false;
      }
      displace(loser);
    }
  };
  return {
    enter: (peer, onDisplaced) => {
      const entry: Entry = { peer, since: now(), displace: onDisplaced, bytes: 0, isComplete: false };
      if (inside.size >= reviews && peer !== VERIFIED) {
        const loser = slowest(inside, now()) ?? oldestOfLargest(inside, peer);
        if (loser === undefined) return undefined;
        displace(loser);
      }
      inside.add(entry);
      start();
      return {
        hold: (size) => hold(entry, size),
        complete: () => {
          entry.isComplete = true;
        },
        leave: () => void remove(entry),
      };
    },
  };
}

function slowest(inside: ReadonlySet<Entry>, now: number): Entry | undefined {
  for (const entry of inside) if (now - entry.since > SLOW_MS && !entry.isComplete && entry.peer !== VERIFIED) return entry;
  return undefined;
}

/** The peer that has the most of something; strangers only. `joining` has one more. */
function largestPeer(inside: ReadonlySet<Entry>, measure: Measure, joining?: string): string | undefined {
  const totals = new Map<string, number>(joining === undefined ? [] : [[joining, 1]]);
  for (const entry of inside) if (entry.peer !== VERIFIED) totals.set(entry.peer, (totals.get(entry.peer) ?? 0) + measure(entry));
  let [largest, most]: [string | undefined, number] = [undefined, 0];
  for (const [peer, total] of totals) if (total > most) [largest, most] = [peer, total];
  return largest;
}

function oldestOfLargest(inside: ReadonlySet<Entry>, joining: string): Entry | undefined {
  const peer = largestPeer(inside, () => 1, joining);
  for (const entry of inside) if (entry.peer === peer) return entry;
  return undefined;
}

function largestOfLargest(inside: ReadonlySet<Entry>): Entry | undefined {
  const peer = largestPeer(inside, ({ bytes }) => bytes);
  let largest: Entry | undefined;
  for (const entry of inside) if (entry.peer === peer && entry.bytes > (largest?.bytes ?? -1)) largest = entry;
  return largest;
}
