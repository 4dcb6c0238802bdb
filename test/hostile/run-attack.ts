import { eventually } from "../support/time/eventually.ts";
import type { Attack } from "./attack.ts";
import type { Service } from "./victim.ts";
import type { HostileWorld } from "./world.ts";

export interface Result {
  readonly attack: Attack;
  /** Undefined if the attack was never in progress, so that the result proves nothing. */
  readonly evidence: string | undefined;
  readonly service: Service | undefined;
  /** Reason why the attack could not run. */
  readonly problem: string | undefined;
}

/** Work that an earlier attack left may have to end first, such as a request to a silent vault. */
const EVIDENCE_MS = 45_000;
const SERVED_MS = 30_000;

/** Runs the attack while the victim continues its work. */
export async function runAttack(world: HostileWorld, attack: Attack): Promise<Result> {
  try {
    await eventually(() => world.victim.isServed, { within: SERVED_MS, what: "a victim that has all it should" });
    world.ended();
    const strike = await attack.start(world);
    try {
      const service = await world.victim.use();
      const evidence = await eventually(async () => strike.evidence(), { within: EVIDENCE_MS, every: 200 }).catch(() => undefined);
      return { attack, evidence, service, problem: undefined };
    } finally {
      await strike.stop();
    }
  } catch (error) {
    return { attack, evidence: undefined, service: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}
