/** Attacks by a peer on the pod network that reaches the webhook's port, and has no rights. */
import { setTimeout as pause } from "node:timers/promises";
import type { Attack, Strike } from "../attack.ts";
import { Peer, reviewHead } from "../peer.ts";
import type { HostileWorld } from "../world.ts";

const MIB = 1024 * 1024;

/** An address of this machine that the API server does not use. */
const STRANGER = "127.0.0.66";

interface Round {
  /** Number of connections at a time. */
  readonly connections: number;
  /** Action of each open connection. Called again for a connection that the server ended. */
  readonly act: (peer: Peer, signal: AbortSignal) => Promise<void>;
  readonly address?: string;
}

/** Keeps this number of connections busy until it is stopped, and reopens those that the server ends. */
function besiege({ webhook }: HostileWorld, { connections, act, address = STRANGER }: Round): Strike {
  const peer = new Peer(address, webhook.admissionPort);
  const stop = new AbortController();
  let acts = 0;
  const hold = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      acts += 1;
      await act(peer, stop.signal).catch(() => undefined);
      await pause(20, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const holds = Array.from({ length: connections }, hold);
  return {
    evidence: () => {
      const answers = [...peer.answers].map(([status, count]) => `${count} x ${status}`).join(", ");
      return acts === 0
        ? undefined
        : `${acts} attempts on ${connections} connections, ${peer.ended} ended by the server${answers === "" ? "" : `, answered ${answers}`}`;
    },
    stop: async () => {
      stop.abort();
      await peer.stop();
      await Promise.all(holds);
    },
  };
}

/** Resolves when the server or the attack ends the connection. */
function untilClosed(
  socket: { once(event: "close", listener: () => void): unknown; readonly destroyed: boolean },
  signal: AbortSignal,
): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function claiming(length: number, path?: string): Round["act"] {
  return async (peer, signal) => {
    const socket = await peer.tls();
    socket?.write(reviewHead(length, path));
    if (socket !== undefined) await untilClosed(socket, signal);
  };
}

function repeating(request: string): Round["act"] {
  const requests = Buffer.from(request.repeat(MIB / request.length));
  return async (peer, signal) => {
    const socket = await peer.tls();
    socket?.write(requests);
    if (socket !== undefined) await untilClosed(socket, signal);
  };
}

function notWaiting(what: string, request: string): Attack {
  return {
    name: `a hundred connections do not wait between 1 MiB of requests: ${what}`,
    kind: "floods",
    start: async (world) => besiege(world, { connections: 100, act: repeating(request) }),
  };
}

export const peerAttacks: readonly Attack[] = [
  {
    name: "one connection claims 24 MiB and sends none",
    kind: "bytes that never come",
    isControl: true,
    start: async (world) => besiege(world, { connections: 1, act: claiming(24 * MIB) }),
  },
  {
    name: "forty connections claim 7 MiB each and send none",
    kind: "bytes that never come",
    start: async (world) => besiege(world, { connections: 40, act: claiming(7 * MIB - 1) }),
  },
  {
    name: "three hundred connections send a head and no body",
    kind: "bytes that never come",
    start: async (world) => besiege(world, { connections: 300, act: claiming(900) }),
  },
  {
    name: "two hundred connections send a body one byte a second",
    kind: "bytes that never come",
    start: async (world) =>
      besiege(world, {
        connections: 200,
        act: async (peer, signal) => {
          const socket = await peer.tls();
          socket?.write(reviewHead(5_000));
          for (;;) {
            if (socket?.destroyed !== false || signal.aborted) return;
            socket.write(" ");
            await pause(1_000, undefined, { signal });
          }
        },
      }),
  },
  {
    name: "two hundred connections send a head one byte at a time",
    kind: "bytes that never come",
    start: async (world) =>
      besiege(world, {
        connections: 200,
        act: async (peer, signal) => {
          const socket = await peer.tls();
          for (const character of reviewHead(100)) {
            if (socket === undefined || socket.destroyed || signal.aborted) return;
            socket.write(character);
            await pause(500, undefined, { signal });
          }
        },
      }),
  },
  {
    name: "five hundred connections on which TLS never begins",
    kind: "bytes that never come",
    start: async (world) =>
      besiege(world, {
        connections: 500,
        act: async (peer, signal) => {
          const socket = await peer.tcp();
          if (socket !== undefined) await untilClosed(socket, signal);
        },
      }),
  },
  {
    name: "two hundred idle connections after their handshake",
    kind: "bytes that never come",
    start: async (world) =>
      besiege(world, {
        connections: 200,
        act: async (peer, signal) => {
          const socket = await peer.tls();
          if (socket !== undefined) await untilClosed(socket, signal);
        },
      }),
  },
  {
    name: "preflight reviews of 7 MiB that never arrive",
    kind: "bytes that never come",
    start: async (world) => besiege(world, { connections: 60, act: claiming(7 * MIB - 1, "/validate/workloads") }),
  },
  {
    name: "a flood of reviews that are none",
    kind: "floods",
    start: async (world) =>
      besiege(world, {
        connections: 20,
        act: async (peer, signal) => {
          const socket = await peer.tls();
          for (;;) {
            if (socket?.destroyed !== false || signal.aborted) return;
            socket.write(`${reviewHead(2)}{}`);
            await pause(5, undefined, { signal });
          }
        },
      }),
  },
  notWaiting("paths that serve nothing", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"),
  notWaiting("expectations", "GET /x HTTP/1.1\r\nHost: x\r\nExpect: y\r\n\r\n"),
  { ...notWaiting("empty reviews", reviewHead(0)), isControl: true },
  {
    name: "a body that is nothing but brackets",
    kind: "floods",
    isControl: true,
    start: async (world) => {
      const body = Buffer.alloc(7 * MIB - 1024, "[");
      return besiege(world, {
        connections: 2,
        act: async (peer, signal) => {
          const socket = await peer.tls();
          socket?.write(reviewHead(body.length));
          socket?.write(body);
          if (socket !== undefined) await untilClosed(socket, signal);
        },
      });
    },
  },
  {
    name: "bodies of 6 MiB, one after the other",
    kind: "floods",
    start: async (world) => {
      const body = Buffer.alloc(6 * MIB, " ");
      return besiege(world, {
        connections: 6,
        act: async (peer, signal) => {
          const socket = await peer.tls();
          socket?.write(reviewHead(body.length));
          socket?.end(body);
          if (socket !== undefined) await untilClosed(socket, signal);
        },
      });
    },
  },
  {
    name: "peers that never read their answers",
    kind: "floods",
    start: async (world) =>
      besiege(world, {
        connections: 50,
        act: async (peer, signal) => {
          const socket = await peer.tls();
          socket?.pause();
          socket?.write(`${reviewHead(2)}{}`.repeat(200));
          if (socket !== undefined) await untilClosed(socket, signal);
        },
      }),
  },
];
