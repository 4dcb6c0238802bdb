import { VERIFIED } from "./peer.ts";

/** Limits the work that is in progress at the same time outside the process. */
export interface PeerSlots {
  /** Resolves with a function that gives the slot back, or with undefined if the signal aborts first. */
  enter(peer: string, signal: AbortSignal): Promise<(() => void) | undefined>;
}

export interface PeerSlotLimits {
  readonly slots: number;
  /** Maximum slots of one stranger. The rest is for the others, which then never wait behind its requests alone. */
  readonly most: number;
}

/** Creates the slots. A free slot goes to the waiting peer that has the fewest, and of one peer to its latest request. */
export function createPeerSlots({ slots, most }: PeerSlotLimits): PeerSlots {
  const taken = new Map<string, number>();
  const waiting = new Map<string, Set<() => void>>();
  let used = 0;

  const has = (peer: string): number => taken.get(peer) ?? 0;
  const isAllowed = (peer: string): boolean => used < slots && (peer === VERIFIED || has(peer) < most);
  const take = (peer: string): (() => void) => {
    used += 1;
    taken.set(peer, has(peer) + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      used -= 1;
      if (has(peer) > 1) taken.set(peer, has(peer) - 1);
      else taken.delete(peer);
      admit();
    };
  };
  const admit = (): void => {
    const [next] = [...waiting.keys()].filter(isAllowed).sort((a, b) => rank(a) - rank(b));
    const newest = next === undefined ? undefined : [...(waiting.get(next) ?? [])].at(-1);
    newest?.();
  };
  const rank = (peer: string): number => (peer === VERIFIED ? -1 : has(peer));

  const wait = (peer: string, signal: AbortSignal): Promise<(() => void) | undefined> =>
    new Promise((resolve) => {
      const own = waiting.get(peer) ?? new Set();
      const stop = (): void => {
        own.delete(enter);
        if (own.size === 0 && waiting.get(peer) === own) waiting.delete(peer);
        signal.removeEventListener("abort", giveUp);
      };
      const enter = (): void => {
        stop();
        resolve(take(peer));
      };
      const giveUp = (): void => {
        stop();
        resolve(undefined);
      };
      waiting.set(peer, own.add(enter));
      signal.addEventListener("abort", giveUp, { once: true });
    });
  return {
    enter: async (peer, signal) => {
      if (signal.aborted) return undefined;
      return isAllowed(peer) && !waiting.has(peer) ? take(peer) : wait(peer, signal);
    },
  };
}
