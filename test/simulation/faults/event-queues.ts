/** Faults of the event queue, and of the delivery of events into it. */
import type { Message } from "../network/fabric.ts";
import { drawNoise, type KnownObject, type Noise } from "../queues/noise.ts";
import type { Random } from "../time/random.ts";
import { type EventQueue, QUEUE_HOST } from "../world/event-queue.ts";
import type { World } from "../world/world.ts";
import { type FaultKind, MINUTE } from "./fault.ts";
import { answersXml, cut, lost, type NetworkKind, networkFault, page, reset, slow, unanswered } from "./network.ts";

const isQueue = ({ host }: Message): boolean => host === QUEUE_HOST;
const isDeletion = (message: Message): boolean => isQueue(message) && message.method === "DELETE";
const isReceipt = (message: Message): boolean => isQueue(message) && message.method === "GET";

const hasQueue = ({ events }: World): boolean => events !== undefined;

function queueFault(kind: Omit<NetworkKind, "target">, target: (message: Message) => boolean = isQueue): FaultKind {
  return { ...networkFault({ ...kind, target: () => target }), needs: hasQueue };
}

/** Returns a fault of the queue itself. The function that `begin` returns ends the fault. */
function ofQueue(name: string, longestMs: number, begin: (events: EventQueue, random: Random) => (() => void) | undefined): FaultKind {
  return { name, longestMs, needs: hasQueue, begin: ({ events }, random) => (events === undefined ? undefined : begin(events, random)) };
}

/** Draws an object of any vault for a message to name. */
export function anyObject({ vaults }: World, random: Random): KnownObject | undefined {
  const vault = random.pick([...vaults.all.values()]);
  const object = random.pick([...vault.objects.values()]);
  const version = object.versions.at(-1)?.version;
  return version === undefined ? undefined : { vault: vault.name, object: object.name, isCertificate: object.isCertificate, version };
}

/** Size of a storm, and the time within which its messages arrive. They are of one kind or of all kinds. */
const STORM = { least: 60, most: 500, withinMs: 20_000 };
const KINDS: readonly Noise[] = ["malformed", "foreign", "hints"];

function storm(world: World, random: Random): undefined {
  const count = STORM.least + random.below(STORM.most - STORM.least);
  const kind = random.chance(0.5) ? random.pick(KINDS) : undefined;
  const about = random.chance(0.5) ? anyObject(world, random) : undefined;
  for (let index = 0; index < count; index += 1) {
    const known = about ?? anyObject(world, random);
    if (known === undefined) continue;
    const text = drawNoise(kind ?? random.pick(KINDS), known, random);
    world.scheduler.schedule(random.between(0, STORM.withinMs), () => world.events?.grid.put(text));
  }
  return undefined;
}

export const eventQueueFaults: readonly FaultKind[] = [
  queueFault({
    name: "event queue: away",
    longestMs: 30 * MINUTE,
    fate: (random) => () => ({ kind: "resetBefore", there: random.delay(3) }),
    share: 1,
  }),
  queueFault({ name: "event queue: silent", longestMs: 20 * MINUTE, fate: lost }),
  queueFault({ name: "event queue: slow", longestMs: 15 * MINUTE, fate: slow(8_000) }),
  queueFault({ name: "event queue: connections reset", longestMs: 15 * MINUTE, fate: reset }),
  queueFault({ name: "event queue: busy", longestMs: 15 * MINUTE, fate: answersXml(503, "ServerBusy", { "retry-after": "7" }) }),
  queueFault({ name: "event queue: 429", longestMs: 15 * MINUTE, fate: answersXml(429, "TooManyRequests", { "retry-after": "20" }) }),
  queueFault({ name: "event queue: 500", longestMs: 10 * MINUTE, fate: answersXml(500, "InternalError") }),
  queueFault({ name: "event queue: a proxy answers in its place", longestMs: 10 * MINUTE, fate: page }),
  queueFault({ name: "event queue: deletions are not answered", longestMs: 10 * MINUTE, fate: unanswered }, isDeletion),
  queueFault({ name: "event queue: deletions are refused", longestMs: 10 * MINUTE, fate: answersXml(500, "InternalError") }, isDeletion),
  queueFault({ name: "event queue: messages are lost on their way", longestMs: 10 * MINUTE, fate: unanswered }, isReceipt),
  queueFault({ name: "event queue: messages are cut", longestMs: 10 * MINUTE, fate: cut }, isReceipt),
  {
    name: "sign-in: never answered for the event queue",
    longestMs: 20 * MINUTE,
    needs: hasQueue,
    begin: (world, random) => {
      const { appId = "nobody" } = world.events ?? {};
      const target = ({ host, body }: Message): boolean => host.includes("login.microsoftonline.com") && body.includes(appId);
      return networkFault({ name: "", longestMs: 0, target: () => target, fate: lost, share: 1 }).begin(world, random);
    },
  },
  ofQueue("the event queue's role is taken away", 20 * MINUTE, (events) => {
    events.isAssigned = false;
    return () => {
      events.isAssigned = true;
    };
  }),
  ofQueue("the grant of the event queue's account is taken back", 20 * MINUTE, (events) => events.withdrawGrant()),
  ofQueue("the event queue is deleted, and made anew", 20 * MINUTE, (events) => events.remove()),
  ofQueue("events are held up", 40 * MINUTE, ({ grid: { delivery } }) => {
    delivery.isHeldUp = true;
    return () => {
      delivery.isHeldUp = false;
    };
  }),
  ofQueue("events are lost", 30 * MINUTE, ({ grid: { delivery } }, random) => {
    delivery.lost = random.between(0.2, 1);
    return () => {
      delivery.lost = 0;
    };
  }),
  ofQueue("events come many times", 20 * MINUTE, ({ grid: { delivery } }, random) => {
    delivery.repeated = 1 + random.below(8);
    return () => {
      delivery.repeated = 0;
    };
  }),
  { name: "a storm of messages in the event queue", longestMs: 0, needs: hasQueue, begin: storm },
];
