/** Connections that the other side closes while they are idle: no fault, but what every client of a service meets. */
import type { Random } from "../time/random.ts";
import type { Fate, Message, Weather } from "./fabric.ts";

/** A service closes connections that are idle for longer, which the client may not know yet (milliseconds). */
const IDLE_MS = 60_000;

/** Of the first requests after that. */
const SHARE = 0.03;

/** The next request is on a connection of its own, and goes well. */
export function idleConnections(now: () => number, random: Random, isMeant: (message: Message) => boolean): Weather {
  const usedAt = new Map<string, number>();
  return (message): Fate | undefined => {
    if (message.machine === undefined || !isMeant(message)) return undefined;
    const key = `${message.machine.name} ${message.host}`;
    const last = usedAt.get(key);
    usedAt.set(key, now());
    if (last === undefined || now() - last < IDLE_MS || !random.chance(SHARE)) return undefined;
    return { kind: "resetBefore", there: random.delay(2) };
  };
}
