import type { Socket } from "node:net";
import { createLoopTime } from "./loop-time.ts";
import { peerOf, VERIFIED } from "./peer.ts";

/**
 * State of a connection. `silent`: it has sent nothing yet. `unused`: it could send a request, and never has. `greeting`: it has begun a
 * handshake. `idle`: it has sent a request before. `receiving`: its request is arriving. `answering`: the server works on the response.
 */
export type Stage = "silent" | "unused" | "greeting" | "idle" | "receiving" | "answering";

/** If there is no room left, the connection with the lowest value goes first. */
const WORTH: Readonly<Record<Stage, number>> = { silent: 0, unused: 1, greeting: 2, idle: 3, receiving: 4, answering: 5 };

/**
 * Milliseconds after which a connection in this stage is ended, whichever peer it belongs to. An API server waits no longer than five
 * seconds. `receiving` leaves time to answer a request that arrived too slowly. `answering` covers a decision, and a client that does not
 * read the response. Connections without activity cost little. The server's own timeouts end them, or the table does if others need their
 * room.
 */
const LONGEST: Readonly<Record<Stage, number>> = {
  silent: 5_000,
  greeting: 5_000,
  unused: Number.POSITIVE_INFINITY,
  idle: Number.POSITIVE_INFINITY,
  receiving: 3_000,
  answering: 10_000,
};

const SWEEP_MS = 250;

export interface Connection {
  readonly peer: string;
  enter(stage: Stage): void;
  /**
   * Call this when the peer has proved its identity. From then on its connection does not count as a stranger's, and is never ended to make
   * room for others.
   */
  verify(): void;
}

export interface ConnectionTable {
  /** Adds a connection. Returns undefined if there is no room; the socket is then closed. */
  readonly open: (socket: Socket) => Connection | undefined;
  /** Ends the open connections: those without a request in progress at once, the others after their response. */
  readonly endWhenIdle: () => void;
  readonly endAll: () => void;
  /** Stops watching the connections. */
  readonly close: () => void;
}

interface Entry {
  readonly socket: Socket;
  peer: string;
  stage: Stage;
  since: number;
  /** Whether the connection ends as soon as it is idle. */
  isLast?: boolean;
}

/**
 * The open connections of a server, with at most `most` of strangers. If one more arrives, the peer with the most gives one up: the one
 * that is worth least, and the oldest of those. It gives up a connection that is being answered only if it has no others, and more than the
 * arriving peer. So a thousand connections of one address, whether they are silent, slow or busy, take no room from another's; and idle
 * connections take none from those with requests, even behind the same address.
 */
export function createConnectionTable(most: number): ConnectionTable {
  const byPeer = new Map<string, Set<Entry>>();
  const { now, start } = createLoopTime(() => byPeer.size > 0);
  let strangers = 0;
  let sweep: NodeJS.Timeout | undefined;

  const join = (entry: Entry): void => {
    const own = byPeer.get(entry.peer) ?? new Set();
    byPeer.set(entry.peer, own.add(entry));
    if (entry.peer !== VERIFIED) strangers += 1;
    start();
    sweep ??= setInterval(sweepOnce, SWEEP_MS).unref();
  };
  const part = (entry: Entry): void => {
    const own = byPeer.get(entry.peer);
    if (own?.delete(entry) !== true) return;
    if (own.size === 0) byPeer.delete(entry.peer);
    if (entry.peer !== VERIFIED) strangers -= 1;
  };
  const end = (entry: Entry): void => {
    part(entry);
    entry.socket.destroy();
  };
  const close = (): void => {
    clearInterval(sweep);
    sweep = undefined;
  };
  const sweepOnce = (): void => {
    if (byPeer.size === 0) close();
    for (const own of byPeer.values()) for (const entry of own) if (now() - entry.since > LONGEST[entry.stage]) end(entry);
  };

  const open = (socket: Socket): Connection | undefined => {
    const entry: Entry = { socket, peer: peerOf(socket), stage: "silent", since: now() };
    // A reset must not end the process; `close` follows.
    socket.on("error", () => undefined);
    socket.once("close", () => part(entry));
    join(entry);
    if (strangers > most) end(givenUpFor(entry, byPeer));
    return socket.destroyed ? undefined : connectionOf(entry);
  };
  const connectionOf = (entry: Entry): Connection => ({
    get peer() {
      return entry.peer;
    },
    enter: (stage) => {
      Object.assign(entry, { stage, since: now() });
      if (stage === "idle" && entry.isLast === true) end(entry);
    },
    verify: () => {
      part(entry);
      entry.peer = VERIFIED;
      if (!entry.socket.destroyed) join(entry);
    },
  });
  const endThose = (isMeant: (entry: Entry) => boolean): void => {
    for (const own of byPeer.values()) for (const entry of own) if (isMeant(entry)) end(entry);
  };
  return {
    open,
    endWhenIdle: () =>
      endThose((entry) => {
        entry.isLast = true;
        return WORTH[entry.stage] < WORTH.receiving;
      }),
    endAll: () => endThose(() => true),
    close,
  };
}

/**
 * Returns the connection to end so that the newest one has a place. First chooses a connection that is not being answered, of the peer with
 * the most, then of the next peers that have at least as many as the newest one's peer. If all of these are being answered, the largest
 * peer gives up the one that has been answered for longest, whose client most likely does not read: otherwise one address could keep out
 * all others this way. A peer that has as many as the largest one gets no more.
 */
function givenUpFor(last: Entry, byPeer: ReadonlyMap<string, ReadonlySet<Entry>>): Entry {
  const own = byPeer.get(last.peer)?.size ?? 0;
  const peers = [...byPeer].flatMap(([peer, entries]) => (peer !== VERIFIED && entries.size >= own ? [entries] : []));
  const bySize = peers.sort((a, b) => b.size - a.size);
  for (const entries of bySize) {
    const worst = worstOf(entries, last);
    if (worst !== undefined) return worst;
  }
  const [largest] = bySize;
  return largest === undefined || largest.size === own ? last : (oldestOf(largest) ?? last);
}

/** Returns the connection that is worth least, other than the newest; undefined if all the others are being answered. */
function worstOf(entries: ReadonlySet<Entry>, last: Entry): Entry | undefined {
  let worst: Entry | undefined;
  for (const entry of entries) {
    if (entry === last || entry.stage === "answering") continue;
    const difference = worst === undefined ? -1 : WORTH[entry.stage] - WORTH[worst.stage];
    if (difference < 0 || (difference === 0 && worst !== undefined && entry.since < worst.since)) worst = entry;
  }
  return worst;
}

function oldestOf(entries: ReadonlySet<Entry>): Entry | undefined {
  let oldest: Entry | undefined;
  for (const entry of entries) if (oldest === undefined || entry.since < oldest.since) oldest = entry;
  return oldest;
}
