import { cpus, loadavg } from "node:os";
import type { ProductBuild } from "../../support/cluster/built-product.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { compare, describeComparison, type Round, type Sample } from "../against.ts";
import { cpuNanoseconds, residentMiB } from "../process-usage.ts";
import { type Contestant, startOurs } from "./contestants.ts";
import { createSender, percentile, type Sender, sendAll, sendAtRate } from "./load.ts";
import { reviewOf, SIZES } from "./reviews.ts";

export interface Against {
  readonly now: ProductBuild;
  readonly before: ProductBuild;
  readonly rounds: number;
}

const CONNECTIONS = 4;
const WARM_UP = { small: 6_000, large: 1_500 } as const;
const COUNTED = { small: 3_000, large: 750 } as const;
/** Number of turns of each entrant. The reviews alternate between the entrants, so that other load on the machine affects all of them. */
const TURNS = 10;
const RATE = { perSecond: 500, seconds: 4 };

const ENTRANTS = ["now", "again", "before"] as const;
type Entrant = (typeof ENTRANTS)[number];

interface Running {
  readonly entrant: Entrant;
  readonly contestant: Contestant;
  readonly sender: Sender;
}

/** Each round restarts all three, and another one goes first each time. False if a figure became worse. */
export async function runAgainst(plane: ControlPlane, { now, before, rounds }: Against): Promise<boolean> {
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, load ${loadavg()[0]?.toFixed(2)}; ${rounds} rounds`);
  const builds: Readonly<Record<Entrant, ProductBuild>> = { now, again: now, before };
  const all: Round[] = [];
  for (let index = 0; index < rounds; index += 1) {
    all.push(await runRound(plane, builds, index));
    console.log(`round ${index + 1} of ${rounds}`);
  }
  const compared = compare(all);
  console.log(`\n${describeComparison(compared, { before: before.name, rounds })}`);
  return !compared.some(({ isWorse }) => isWorse);
}

async function runRound(plane: ControlPlane, builds: Readonly<Record<Entrant, ProductBuild>>, index: number): Promise<Round> {
  const running: Running[] = [];
  try {
    for (const entrant of inTurn(ENTRANTS, index)) {
      const contestant = await startOurs(plane, builds[entrant]);
      running.push({ entrant, contestant, sender: createSender(contestant.target, CONNECTIONS) });
    }
    const samples = await measure(running);
    const [now, again, before] = [samples.get("now"), samples.get("again"), samples.get("before")];
    if (now === undefined || again === undefined || before === undefined) throw new Error("an entrant is missing");
    return { now, again, before };
  } finally {
    for (const { contestant, sender } of running) {
      await sender.close();
      await contestant.stop();
    }
  }
}

async function measure(running: readonly Running[]): Promise<ReadonlyMap<Entrant, Sample>> {
  const samples = new Map<Entrant, Record<string, number>>(
    running.map(({ entrant, contestant }) => [entrant, { "start, ms": contestant.startMs }]),
  );
  const note = (entrant: Entrant, figure: string, value: number): void => {
    const sample = samples.get(entrant);
    if (sample !== undefined) sample[figure] = (sample[figure] ?? 0) + value;
  };
  for (const size of SIZES) {
    const body = reviewOf(size);
    for (const { sender } of running) await sendAll(sender, body, { count: WARM_UP[size.name], connections: CONNECTIONS });
    const count = COUNTED[size.name] / TURNS;
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const { entrant, contestant, sender } of inTurn(running, turn)) {
        const from = cpuNanoseconds(contestant.pid);
        await sendAll(sender, body, { count, connections: CONNECTIONS });
        note(entrant, `${size.name} review, CPU µs`, (cpuNanoseconds(contestant.pid) - from) / COUNTED[size.name] / 1_000);
      }
    }
  }
  for (const { entrant, contestant } of running) note(entrant, "RSS after load, MiB", residentMiB(contestant.pid));
  const [small] = SIZES;
  if (small === undefined) return samples;
  for (const { entrant, sender } of running) {
    const times = await sendAtRate(sender, reviewOf(small), RATE);
    note(entrant, `p50 at ${RATE.perSecond}/s, ms`, percentile(times, 0.5));
    note(entrant, `p99 at ${RATE.perSecond}/s, ms`, percentile(times, 0.99));
  }
  return samples;
}

/** Rotates the order: after as many turns as there are entrants, each has been first once. */
function inTurn<T>(all: readonly T[], turn: number): readonly T[] {
  const first = turn % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}
