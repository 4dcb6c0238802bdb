import type { Socket } from "node:net";
import { createLoopTime } from "./loop-time.ts";
import { peerOf, VERIFIED } from "./peer.ts";

/**
 * What a connection does. `silent`: it has said nothing yet. `unused`: it could ask, and never has. `greeting`: it has begun a handshake.
 * `idle`: it has asked before. `receiving`: its request is on its way in. `answering`: it is worked for.
 */
export type Stage = "silent" | "unused" | "greeting" | "idle" | "receiving" | "answering";

/** What goes first where there is no room left. */
const WORTH: Readonly<Record<Stage, number>> = { silent: 0, unused: 1, greeting: 2, idle: 3, receiving: 4, answering: 5 };

/**
 * Milliseconds, after which a connection is ended whoever it is of. Five seconds are as long as an API server waits; `receiving` leaves
 * time to answer a request that came too slowly; `answering` covers a decision, and a client that does not read its answer. Connections that do
 * nothing cost little, and are ended by the server's own timeouts or where others need their room.
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
  /** The peer has shown who it is: from now on it is counted with nobody, and never ended for others. */
  verify(): void;
}

export interface ConnectionTable {
  /** Undefined: there is no room, and the socket has been closed. */
  readonly open: (socket: Socket) => Connection | undefined;
  /** Ends those that do nothing; whoever is answered is let finish. */
  readonly endIdle: () => void;
  readonly endAll: () => void;
  /** No more are watched. */
  readonly close: () => void;
}

interface Entry {
  readonly socket: Socket;
  peer: string;
  stage: Stage;
  since: number;
}

/**
 * The open connections of a server, at most so many of strangers. Where one more comes, the peer with the most gives one up: what is
 * worth least, and of that the oldest; one that is being answered only where it has none but those, and more than the peer that comes. So a thousand connections of one address, whether they are silent, slow or busy, take no room of
 * another's; and idle ones take none of those that ask, even behind the same address.
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
    // A reset is no reason to end the process; `close` follows.
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
    enter: (stage) => Object.assign(entry, { stage, since: now() }),
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
    endIdle: () => endThose(({ stage }) => WORTH[stage] < WORTH.receiving),
    endAll: () => endThose(() => true),
    close,
  };
}

/**
 * What goes so that the one that came last has a place. First what nobody is answered on, of the peer that has the most, then of the next ones,
 * as long as they have no fewer than its own. Where all of those are being answered, the largest peer gives up the one that has been answered
 * the longest, which is the likeliest to be one that does not read: otherwise one address could keep all others out by that. A peer that has as
 * many as the largest one gets no more.
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

/** Other than the one that came last. Undefined where all the others are being answered. */
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
