// An attacker in a separate process. Arguments: the webhook's port, its local address, and the health port. Prints a line as soon as all connections have begun, and
// continues until it is ended: it reopens every closed connection.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { aPod, aReview } from "../fixtures/pods.ts";
import { requestOf, wholeRequest } from "./strangers.ts";

const [port = "0", from = "127.0.0.1", healthPort = "0"] = process.argv.slice(2);
const MIB = 1024 * 1024;
const PAUSE_MS = 500;
/** Requests that a client repeats without waiting for a response. */
const REPEATED = [
  "GET /x HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /x HTTP/1.1\r\nHost: x\r\nExpect: y\r\n\r\n",
  "GET /x HTTP/1.1\r\n\r\n",
  "POST /mutate/pods HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
];
const UNKNOWN = wholeRequest(aReview(aPod({ inject: "true", "secret-provider-class": "unknown" }), { namespace: "nowhere" }));

/**
 * Data that a connection sends after its TLS handshake. `isSilent` connections never begin the handshake. `isRepeated` ones send the data
 * again after each answer. `isHealth` ones go to the health port, without TLS.
 */
interface Kind {
  readonly count: number;
  readonly isSilent?: boolean;
  readonly says?: string;
  readonly isRepeated?: boolean;
  readonly isHealth?: boolean;
}

const KINDS: readonly Kind[] = [
  { count: 700, isSilent: true },
  { count: 100 },
  { count: 50, says: requestOf(24 * MIB) },
  { count: 50, says: requestOf(6 * MIB) },
  { count: 20, says: requestOf(6 * MIB, "x".repeat(5 * MIB)) },
  { count: 50, says: "POST /mutate/pods HTTP/1.1\r\nHost: x\r\nX-Slow: " },
  { count: 20, says: UNKNOWN.repeat(50) },
  { count: 10, says: UNKNOWN, isRepeated: true },
  ...REPEATED.flatMap((request) => {
    const says = request.repeat(MIB / request.length);
    return [
      { count: 10, says },
      { count: 10, says, isHealth: true },
    ];
  }),
];

let begun = 0;
const total = KINDS.reduce((sum, { count }) => sum + count, 0);

function noteBegun(): void {
  begun += 1;
  if (begun === total) console.log("under way");
}

function open(kind: Kind, onBegun: () => void): void {
  const raw = connectTcp({ port: Number(kind.isHealth === true ? healthPort : port), host: "127.0.0.1", localAddress: from });
  raw.on("error", () => undefined);
  if (kind.isSilent === true) {
    raw.once("connect", onBegun);
    reopen(raw, kind);
    return;
  }
  const isPlain = kind.isHealth === true;
  const socket = isPlain ? raw : connectTls({ socket: raw, servername: "localhost", rejectUnauthorized: false });
  socket.on("error", () => undefined);
  socket.once(isPlain ? "connect" : "secureConnect", () => {
    onBegun();
    if (kind.says !== undefined) socket.write(kind.says);
    socket.on("data", () => kind.isRepeated === true && kind.says !== undefined && socket.write(kind.says));
  });
  reopen(socket, kind);
}

function reopen(socket: Socket, kind: Kind): void {
  socket.resume().once("close", () => setTimeout(() => open(kind, () => undefined), PAUSE_MS));
}

for (const kind of KINDS) for (let index = 0; index < kind.count; index++) open(kind, noteBegun);
// Some connections may never begin.
setTimeout(() => begun < total && console.log("under way"), 10_000);
