/** The worker leaves a class alone for a while if several leaders in a row ended while they had it in hand, and only then. */
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

const CRASHED = /^the class is not synced: (\d+) workers crashed/;

/** Number of crashes before the first pause, length of this pause, factor for each further crash, and longest pause. In milliseconds. */
const PAUSES = { crashes: 3, first: 5 * 60_000, factor: 4, longest: 24 * 3_600_000 };

interface Noted {
  /** Number of workers that ended without the time to say what they had in hand. */
  ends: number;
  /** Time until which each class may stay untried, by namespace and name. */
  readonly until: Map<string, number>;
}

const noted = new WeakMap<World, Noted>();

/** Whether the worker may leave the class (`namespace/name`) alone. */
export function isInQuarantine(world: World, classKey: string): boolean {
  return world.scheduler.now < (noted.get(world)?.until.get(classKey) ?? 0);
}

/** A leader whose clock is behind waits once more for as long. */
function longestPause(crashes: number): number {
  return 2 * Math.min(PAUSES.first * PAUSES.factor ** (crashes - PAUSES.crashes), PAUSES.longest);
}

export const quarantineHasReasons: Invariant = {
  name: "a class is left alone only after as many workers have crashed as are said to have",
  watch: (world, violated) => {
    const own: Noted = { ends: 0, until: new Map() };
    noted.set(world, own);
    world.onExit((name, why) => {
      if (!name.startsWith("webhook") && !why.startsWith("stopped")) own.ends += 1;
    });
    world.log.onLine(({ machine, fields: { class: classKey, detail } }) => {
      if (typeof classKey !== "string" || typeof detail !== "string") return;
      const [, count] = CRASHED.exec(detail) ?? [];
      if (count === undefined) return;
      const crashes = Number(count);
      own.until.set(classKey, world.scheduler.now + longestPause(crashes));
      if (crashes >= PAUSES.crashes && crashes <= own.ends) return;
      violated(`${machine}: ${classKey} is left alone for ${count} crashes, and ${own.ends} workers have ended`);
    });
  },
};
