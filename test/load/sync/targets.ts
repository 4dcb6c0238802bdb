import type { Figures } from "./figures.ts";

export interface Target {
  readonly what: string;
  readonly is: string;
  readonly isMet: boolean;
}

const OBJECTS_PER_TRANSACTION = 25;
const BUDGET = 4_000;
const MOST_MIB = 200;
const MOST_CPU_SECONDS = 2;
const HEALED_MS = 10_000;
const MARGIN_MS = 5_000;

export interface Judged {
  readonly ours: Figures;
  readonly tuned: Figures | undefined;
  readonly intervalSeconds: number;
  readonly vaults: number;
}

/** Returns the documented targets of the worker at this size. */
export function targets({ ours, tuned, intervalSeconds, vaults }: Judged): readonly Target[] {
  const { size, rest, restart, first, heal, rotation, busiest, throttled, tokens } = ours;
  // A list of one vault takes at least one transaction.
  const most = Math.ceil(size / vaults / OBJECTS_PER_TRANSACTION) * vaults;
  const latest = intervalSeconds * 1_000 + MARGIN_MS;
  return [
    { what: "no API writes at rest", is: `${rest.writes.total}`, isMet: rest.writes.total === 0 },
    {
      what: `at most ${most} vault transactions per poll, one for 25 objects of a vault`,
      is: rest.transactions.toFixed(1),
      isMet: rest.transactions <= most,
    },
    { what: `at most ${MOST_MIB} MiB`, is: rest.residentMiB.toFixed(0), isMet: rest.residentMiB <= MOST_MIB },
    {
      what: `at most ${MOST_CPU_SECONDS} CPU seconds per poll`,
      is: rest.cpuSeconds.toFixed(2),
      isMet: rest.cpuSeconds <= MOST_CPU_SECONDS,
    },
    { what: "no vault read before its phase after a restart", is: `${restart.early ?? 0}`, isMet: restart.early === 0 },
    { what: "at most one token request per identity", is: `${tokens}`, isMet: tokens <= 1 },
    {
      what: `within ${BUDGET} requests per vault and 10 s`,
      is: `${busiest}, ${throttled} answered 429`,
      isMet: busiest <= BUDGET && throttled === 0,
    },
    ...(tuned === undefined ? [] : [fasterThan(ours, tuned)]),
    { what: "all Secrets at the first sync", is: `${first.arrived} of ${first.awaited}`, isMet: first.arrived === first.awaited },
    within(`${heal.awaited} deleted Secrets back`, heal, HEALED_MS),
    within("rotated objects in their Secrets", rotation, latest),
  ];
}

function fasterThan(ours: Figures, tuned: Figures): Target {
  const is = `${(ours.first.ms / 1_000).toFixed(1)} s against ${(tuned.first.ms / 1_000).toFixed(1)} s for ${tuned.first.arrived}`;
  return { what: "first sync faster than the tuned operator", is, isMet: ours.first.ms < tuned.first.ms };
}

function within(what: string, { awaited, arrived, ms }: Figures["heal"], mostMs: number): Target {
  const is = `${arrived} of ${awaited} after ${(ms / 1_000).toFixed(1)} s`;
  return { what: `${what} within ${mostMs / 1_000} s`, is, isMet: arrived === awaited && ms <= mostMs };
}

export function describeTarget({ what, is, isMet }: Target): string {
  return `target ${what}: ${is}: ${isMet ? "met" : "not met"}`;
}
