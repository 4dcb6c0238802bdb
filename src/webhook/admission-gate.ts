import { createLoopTime } from "../runtime/loop-time.ts";
import { VERIFIED } from "../runtime/peer.ts";

/**
 * Reviews that are read, wait or are decided at the same time. One takes about a millisecond of CPU, so the last of a thousand waits a
 * second: less than the API server's timeout of five, and enough for five hundred pods at once during a flood of as many reviews.
 */
const MOST_REVIEWS = 1_000;

/**
 * Bytes held at the same time: bodies, or the values parsed from them, and responses. Long texts take two or three times as much. The limit
 * of the container is 256 MiB.
 */
const MOST_BYTES = 24 * 1024 * 1024;

/**
 * An API server sends a body in one piece. If no byte arrives for this long (milliseconds), the review is the first to go when there is no
 * room.
 */
const SLOW_MS = 250;

/** Place of a review in the gate. */
export interface AdmissionPlace {
  /** Records that the review holds this many bytes now. Returns false if there is no room for them. */
  hold(bytes: number): boolean;
  /** Call this when the body is complete. The review is then no longer slow. */
  complete(): void;
  leave(): void;
}

/** Limits the work in progress. */
export interface AdmissionGate {
  /**
   * Returns a place. `displace` is called if another review needs the place, which is then lost. Returns undefined if there is no room:
   * refuse the review at once.
   */
  enter(peer: string, displace: () => void): AdmissionPlace | undefined;
}

export interface GateLimits {
  readonly reviews: number;
  readonly bytes: number;
}

interface Entry {
  readonly peer: string;
  readonly displace: () => void;
  /** Time at which the last part of it arrived. */
  since: number;
  bytes: number;
  isComplete: boolean;
}

type Measure = (entry: Entry) => number;

/**
 * Counts only what has arrived, never what a client claims. If there is no room, the newest review displaces one: any slow body, otherwise
 * one of the peer that has the most. A share therefore limits a peer only if others would go without. If there are too many reviews, the
 * peer's oldest makes room for the newest, for which a client most likely still waits. If there are too many bytes, the peer's largest
 * review goes.
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

/** Returns the peer with the largest total; strangers only. `joining` has one more. */
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
