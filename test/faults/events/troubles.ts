import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../support/time/eventually.ts";
import { samplesOf } from "../../support/worker/metric-samples.ts";
import type { Replicas } from "../replicas.ts";
import { type EventWorld, QUEUE_HOST } from "./world.ts";

/** One way in which the queue fails. */
export interface Trouble {
  readonly name: string;
  strike(world: EventWorld): Promise<void> | void;
  mend(world: EventWorld): Promise<void> | void;
}

const MANY = 1_000_000;

export const TROUBLES: readonly Trouble[] = [
  {
    name: "its connections are cut",
    strike: ({ vaultProxy }) => vaultProxy.set([QUEUE_HOST], "reset"),
    mend: ({ vaultProxy }) => vaultProxy.set([QUEUE_HOST], "passed"),
  },
  { name: "it hangs", strike: ({ azurite }) => azurite.pause(), mend: ({ azurite }) => azurite.resume() },
  { name: "it answers 403", strike: ({ allow }) => allow(false), mend: ({ allow }) => allow(true) },
  {
    name: "it answers 503",
    strike: ({ emulator }) => emulator.injectFault({ host: QUEUE_HOST, kind: "status", status: 503, times: MANY }),
    mend: ({ emulator }) => emulator.clearFaults({ host: QUEUE_HOST }),
  },
];

const NOTICED_WITHIN_MS = 90_000;

interface Troubled {
  readonly world: EventWorld;
  readonly replicas: Replicas;
}

export interface Strike {
  readonly trouble: Trouble;
  /** Shortest duration in milliseconds. The trouble lasts until a leader has noticed it. */
  readonly lengthMs: number;
  /** Called once, even if no leader notices in time. */
  readonly onNoticed: () => void;
}

export async function runTrouble({ world, replicas }: Troubled, { trouble, lengthMs, onNoticed }: Strike): Promise<void> {
  await trouble.strike(world);
  try {
    await Promise.all([pause(lengthMs), noticed(replicas, trouble).finally(onNoticed)]);
  } finally {
    await trouble.mend(world);
  }
}

async function noticed(replicas: Replicas, { name }: Trouble): Promise<void> {
  await eventually(
    async () => {
      const { process } = await replicas.leader();
      return samplesOf(await process.metrics()).value("event_queue_up") === 0 && process.log().includes("an event queue cannot be read");
    },
    { within: NOTICED_WITHIN_MS, every: 250, what: `a leader that notices that ${name}` },
  );
}
