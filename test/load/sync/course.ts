import { setTimeout as sleep } from "node:timers/promises";
import { secretPath, send } from "../../support/worker/sync-world.ts";
import type { Launched } from "../launch.ts";
import { cpuNanoseconds, peakMiB, residentMiB } from "../process-usage.ts";
import { median } from "../webhook/load.ts";
import type { AtRest, Figures, FirstSync, Restart, Waited } from "./figures.ts";
import { vaultsDue } from "./phases.ts";
import type { Arrival } from "./secret-watch.ts";
import type { Stage } from "./stage.ts";
import { busiestWindow, mostTokens, readsOf } from "./vault-meter.ts";
import { type BenchObject, inParallel } from "./vaults.ts";

export interface CourseOptions {
  /** Number of polls to watch at rest. */
  readonly polls: number;
  /** Whether the contestant spreads its polls, so that the requests of a restart can be distinguished from due polls. */
  readonly hasPhases: boolean;
  /** The longest wait for one thing, in milliseconds. */
  readonly patienceMs: number;
}

const DELETED = 1_000;
const ROTATED = 100;

/** At one check per day, hardly any class is due during a restart. */
const DAY_SECONDS = 86_400;
const RESTART_MS = 15_000;

/**
 * After a restart, the worker immediately catches up on polls that became due while there was no leader, and shortly before, because clocks
 * may differ. In milliseconds.
 */
const MADE_UP_MS = 20_000;

/** Measures one contestant at one size, one thing after the other. */
export async function runCourse(stage: Stage, options: CourseOptions): Promise<Figures> {
  const { contestant, objects, meter } = stage;
  const began = await meter.now();
  stage.audit.writes();
  const first = await firstSync(stage, options);
  await sleep(stage.intervalSeconds * 1_000);
  const rest = await atRest(stage, first.process, options);
  const firstEnd = await meter.now();
  await first.process.stop();
  const restarted = await restart(stage, options);
  const heal = await healDeleted(stage, options);
  if (options.hasPhases) {
    await restarted.process.stop();
    await stage.start();
    await sleep(stage.intervalSeconds * 1_000);
  }
  const rotation = await rotate(stage, options);
  const all = meter.between(began, await meter.now());
  return {
    contestant: contestant.name,
    size: objects.length,
    first: first.figures,
    rest,
    restart: restarted.figures,
    heal,
    rotation,
    busiest: busiestWindow(all),
    throttled: all.filter(({ isThrottled }) => isThrottled).length,
    tokens: mostTokens(meter.between(began, firstEnd)),
  };
}

async function firstSync(
  stage: Stage,
  { patienceMs }: CourseOptions,
): Promise<{ readonly process: Launched; readonly figures: FirstSync }> {
  const { secrets, objects, meter, audit } = stage;
  secrets.expect(objects);
  const from = await meter.now();
  const process = await stage.start();
  const arrival = await secrets.arrived(patienceMs);
  const waited = waitedOf(objects.length, from, arrival);
  const reads = readsOf(meter.between(from, await meter.now())).length;
  return {
    process,
    figures: { ...waited, reads, writes: audit.writes().total, cpuSeconds: sum(pidsOf(process).map(cpuNanoseconds)) / 1e9 },
  };
}

async function atRest({ objects, meter, audit, intervalSeconds }: Stage, launched: Launched, options: CourseOptions): Promise<AtRest> {
  const pids = pidsOf(launched);
  audit.writes();
  const [from, cpu] = [await meter.now(), sum(pids.map(cpuNanoseconds))];
  await sleep(options.polls * intervalSeconds * 1_000);
  const to = await meter.now();
  const writes = audit.writes();
  const requests = meter.between(from, to);
  const reads = readsOf(requests);
  const gets = reads.filter(({ kind }) => kind === "get").length;
  // A contestant that gets every object individually may be slower than its interval.
  const polls = options.hasPhases ? options.polls : gets / objects.length;
  return {
    polls,
    seconds: (to - from) / 1_000 / polls,
    transactions: reads.length / polls,
    tokens: requests.filter(({ kind }) => kind === "token").length / polls,
    writes,
    writesPerPoll: writes.total / polls,
    cpuSeconds: (sum(pids.map(cpuNanoseconds)) - cpu) / 1e9 / polls,
    residentMiB: sum(pids.map(residentMiB)),
    peakMiB: sum(pids.map(peakMiB)),
    largestMiB: Math.max(...pids.map(peakMiB)),
  };
}

async function restart(stage: Stage, { hasPhases }: CourseOptions): Promise<{ readonly process: Launched; readonly figures: Restart }> {
  const { meter, audit } = stage;
  audit.writes();
  const from = await meter.now();
  const process = await stage.start(hasPhases ? { intervalSeconds: DAY_SECONDS } : {});
  await sleep(RESTART_MS);
  const to = await meter.now();
  const reads = readsOf(meter.between(from, to));
  const due = hasPhases ? await vaultsDue(stage, { from: from - MADE_UP_MS, to, intervalMs: DAY_SECONDS * 1_000 }) : undefined;
  const early = due === undefined ? undefined : reads.filter(({ who }) => !due.has(who)).length;
  const cpuSeconds = sum(pidsOf(process).map(cpuNanoseconds)) / 1e9;
  return { process, figures: { seconds: (to - from) / 1_000, reads: reads.length, early, writes: audit.writes().total, cpuSeconds } };
}

async function healDeleted({ plane, secrets, objects }: Stage, { patienceMs }: CourseOptions): Promise<Waited> {
  const deleted = spread(objects, DELETED);
  secrets.expect(deleted);
  const from = Date.now();
  await inParallel(deleted, ({ vault, name }) => send(plane, { method: "DELETE", path: secretPath(vault.name, name) }));
  return waitedOf(deleted.length, from, await secrets.arrived(patienceMs));
}

/**
 * Measures from each rotation to its Secret. Spreads the rotations over one interval: at a single moment, they would measure only the
 * distance to the next poll, which depends on the start of the process.
 */
async function rotate({ secrets, objects, vaults, intervalSeconds }: Stage, { patienceMs }: CourseOptions): Promise<Figures["rotation"]> {
  const rotated = spread(objects, ROTATED);
  const began = performance.now();
  for (const [index, object] of rotated.entries()) {
    await sleep(began + (index * intervalSeconds * 1_000) / rotated.length - performance.now());
    await vaults.rotate([object], () => secrets.expect([object]));
  }
  const { waits } = await secrets.arrived(patienceMs);
  const last = waits.at(-1) ?? Number.NaN;
  return { awaited: rotated.length, arrived: waits.length, ms: last, medianMs: waits.length === 0 ? Number.NaN : median(waits) };
}

function pidsOf({ pid, pids = [pid] }: Launched): readonly number[] {
  return pids;
}

function sum(figures: readonly number[]): number {
  return figures.reduce((all, each) => all + each, 0);
}

/** Returns this many of the objects, from all vaults. */
function spread(objects: readonly BenchObject[], count: number): readonly BenchObject[] {
  const step = Math.max(1, Math.floor(objects.length / count));
  return objects.filter((_, index) => index % step === 0).slice(0, count);
}

function waitedOf(awaited: number, from: number, { times }: Arrival): Waited {
  return { awaited, arrived: times.length, ms: (times.at(-1) ?? Number.NaN) - from };
}
