/** Reads of the event queue. */
import type { Ended } from "../network/fabric.ts";
import { QUEUE_HOST } from "../world/event-queue.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { followLeases, holder } from "./leader.ts";
import { REST_MS } from "./rest.ts";

/** A process that wakes up still sends its pending requests, and only then learns that another process leads. */
const AWAKE_MS = 30_000;

export const leaderReadsEvents: Invariant = {
  name: "the leader alone reads the event queue",
  watch: (world, violated) => {
    /** Time until which each process last stood still. */
    const stoodUntil = new Map<string, number>();
    const shardLedBy = followLeases(world);
    world.onSend(({ machine, host, method }) => {
      if (machine === undefined) return;
      if (machine.stoppedUntil > 0) stoodUntil.set(machine.name, machine.stoppedUntil);
      if (host !== QUEUE_HOST) return;
      const isAwake = world.scheduler.now - (stoodUntil.get(machine.name) ?? Number.NEGATIVE_INFINITY) > AWAKE_MS;
      if (isAwake && shardLedBy(machine) === undefined)
        violated(`${machine.name} sends ${method} to the event queue while ${holder(world)} leads`);
    });
  },
};

/** A message that waits for a vault returns twice a minute, for as long as new events for its object arrive. */
const MOST_RECEIPTS = 150;

/** Minimum time between two reads of the queue (milliseconds). */
const LEAST_PAUSE_MS = 400;
/** Maximum time between two reads, including the delay of a slow service. */
const MOST_PAUSE_MS = 20_000;

interface Request {
  readonly at: number;
  readonly isLook: boolean;
  readonly messages: number;
}

interface Seen {
  readonly requests: Request[];
  /** Number of receipts by message id. */
  readonly receipts: Map<string, number>;
}

const known = new WeakMap<World, Seen>();

function idsIn({ message, how, status, body }: Ended): readonly string[] {
  if (message.method !== "GET" || how !== "answered" || status !== 200) return [];
  return [...body.matchAll(/<MessageId>([^<]+)</g)].map(([, id = ""]) => id);
}

/** Maximum number of kept requests, and of kept messages. */
const MOST_KEPT = 20_000;

export const eventsEnd: Invariant = {
  name: "no message of the event queue comes without end, and at rest it is empty",
  watch: (world, violated) => {
    const seen: Seen = { requests: [], receipts: new Map() };
    known.set(world, seen);
    world.onEnded((ended) => {
      if (ended.message.host !== QUEUE_HOST) return;
      const ids = idsIn(ended);
      seen.requests.push({ at: world.scheduler.now, isLook: ended.message.method === "GET", messages: ids.length });
      if (seen.requests.length > MOST_KEPT) seen.requests.splice(0, MOST_KEPT / 2);
      for (const id of ids) {
        const receipts = (seen.receipts.get(id) ?? 0) + 1;
        seen.receipts.delete(id);
        seen.receipts.set(id, receipts);
        if (receipts === MOST_RECEIPTS + 1) violated(`the message ${id} was received more than ${MOST_RECEIPTS} times`);
      }
      const [oldest] = seen.receipts.keys();
      if (seen.receipts.size > MOST_KEPT && oldest !== undefined) seen.receipts.delete(oldest);
    });
  },
  atRest: (world) => {
    if (world.events === undefined) return [];
    const { now } = world.scheduler;
    const late = (known.get(world)?.requests ?? []).filter(({ at }) => at > now - REST_MS);
    const checks = late.filter(({ isLook }) => isLook);
    const received = checks.reduce((sum, { messages }) => sum + messages, 0);
    const others = late.length - checks.length;
    return [
      ...(world.events.size > 0 ? [`the event queue still has ${world.events.size} messages`] : []),
      ...(received > 0 ? [`${received} messages of the event queue were received`] : []),
      ...(others > 0 ? [`the event queue was asked for something else than messages ${others} times`] : []),
      ...(checks.length > REST_MS / LEAST_PAUSE_MS ? [`the event queue was looked at ${checks.length} times`] : []),
      ...(checks.length < REST_MS / MOST_PAUSE_MS ? [`the event queue was looked at only ${checks.length} times`] : []),
    ];
  },
};
