/** Idle connections that the service closes. This is not a fault, because every client of a service meets it. */
import type { Random } from "../time/random.ts";
import type { Fate, Message, Weather } from "./fabric.ts";

/** A service closes connections that are idle for longer, and the client may not know that yet (milliseconds). */
const IDLE_MS = 60_000;

/** Share of the first requests after that which fail. */
const SHARE = 0.03;

/** Resets some first requests after an idle time. The next request uses a new connection, and succeeds. */
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
