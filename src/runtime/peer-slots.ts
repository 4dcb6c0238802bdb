import { VERIFIED } from "./peer.ts";

/** Bounds how much is under way at once outside of the process. */
export interface PeerSlots {
  /** Resolves with what gives the slot back; undefined where the signal aborts first. */
  enter(peer: string, signal: AbortSignal): Promise<(() => void) | undefined>;
}

export interface PeerSlotLimits {
  readonly slots: number;
  /** Of one stranger: what is left is for the others, who then never wait behind its requests alone. */
  readonly most: number;
}

/** A slot that is free goes to the peer that has the fewest, and of one peer to what came last. */
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
