import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../simulation/time/random.ts";
import { externalSecrets, SETTINGS } from "../sync/external-secrets.ts";
import { type Stage, setStage } from "../sync/stage.ts";
import { readsOf } from "../sync/vault-meter.ts";
import { firstSync, type Ground, keepLogs } from "./ground.ts";
import type { Measured } from "./measured.ts";
import { refreshTimes, setRefreshInterval, spreadRefreshes } from "./refresh-times.ts";
import { measure } from "./rotate.ts";

/** `refreshInterval` of an ExternalSecret that does not set one: https://external-secrets.io/latest/api/externalsecret/ */
const DEFAULT_SECONDS = 3_600;

/** Time after which the start, and the refreshes that became due while no operator ran, are complete. */
const SETTLE_MS = 60_000;

/**
 * The shortest useful interval is the time in which the operator refreshes all ExternalSecrets here, plus a quarter. With a shorter
 * interval, its queue grows and no rotation becomes faster.
 */
const SPARE = 1.25;
const STEP_SECONDS = 10;

/**
 * Runs External Secrets at its default interval with its default flags, and at the shortest useful interval with the flags that its users
 * raise. Both begin with all Secrets in place, which takes less time with the raised flags. Passes each result to `onMeasured`.
 */
export async function runOperator(ground: Ground, onMeasured: (measured: Measured) => void): Promise<void> {
  const { settings, vaults, meter } = ground;
  const contestant = externalSecrets("default");
  const objects = [...(await vaults.grow(settings.secrets))];
  const stage = await setStage({
    contestant,
    vaults,
    objects,
    meter,
    intervalSeconds: DEFAULT_SECONDS,
    onEnd: (folder) => keepLogs(settings, contestant.name, folder),
  });
  try {
    const process = await firstSync(stage, settings, SETTINGS.tuned);
    await process.stop();
    onMeasured(await atDefault(stage, ground));
    onMeasured(await atShortest(stage, ground));
  } finally {
    await stage.stop();
  }
}

/**
 * An interval of one hour would take an hour to watch completely. Therefore this first spreads the refreshes over the hour, as in a cluster
 * that has run for a while. Then the operator runs at its real interval, and the test watches a part of it. For Secrets that do not arrive,
 * the status contains the next refresh. The report derives their waits from it, and marks them as derived.
 */
async function atDefault(stage: Stage, { settings }: Ground): Promise<Measured> {
  await spreadRefreshes(stage, { intervalSeconds: DEFAULT_SECONDS, random: new Random(settings.seed) });
  const process = await stage.start();
  await sleep(SETTLE_MS);
  const { rotations, rate, seed, restSeconds, watchSeconds } = settings;
  const measured = await measure(stage, {
    contestant: `External Secrets by its defaults, refresh every ${DEFAULT_SECONDS} s`,
    process,
    rotations,
    perSecond: rate,
    seed: seed + 2,
    restSeconds,
    patienceMs: watchSeconds * 1_000,
    due: () => nextRefreshes(stage, DEFAULT_SECONDS),
  });
  await process.stop();
  return measured;
}

/** Returns the Unix time of the next refresh in milliseconds, by `namespace/name`. */
async function nextRefreshes(stage: Stage, intervalSeconds: number): Promise<ReadonlyMap<string, number>> {
  const times = await refreshTimes(stage);
  return new Map([...times].map(([key, at]) => [key, at + intervalSeconds * 1_000]));
}

async function atShortest(stage: Stage, { settings }: Ground): Promise<Measured> {
  const roundSeconds = await refreshAll(stage, DEFAULT_SECONDS - 1, settings.patienceMs);
  const intervalSeconds = Math.ceil((roundSeconds * SPARE) / STEP_SECONDS) * STEP_SECONDS;
  await setRefreshInterval(stage, intervalSeconds);
  const process = await stage.start({ flags: SETTINGS.tuned });
  // A changed interval causes a refresh of everything, which takes less than one interval. Afterwards only the interval causes refreshes.
  await sleep(intervalSeconds * 1_000);
  const { rotations, rate, seed, restSeconds, patienceMs } = settings;
  const measured = await measure(stage, {
    contestant: `External Secrets tuned, refresh every ${intervalSeconds} s`,
    process,
    rotations,
    // Over at least one interval, as above.
    perSecond: Math.min(rate, rotations / intervalSeconds),
    seed: seed + 3,
    restSeconds: Math.max(restSeconds, intervalSeconds),
    patienceMs,
  });
  const note = `all at once, its refreshes took ${roundSeconds.toFixed(1)} s: the interval is the shortest with a quarter to spare`;
  return { ...measured, notes: [note] };
}

const LOOK_MS = 1_000;

/** Returns how many seconds the tuned operator takes to refresh everything, which a changed interval causes. */
async function refreshAll(stage: Stage, intervalSeconds: number, patienceMs: number): Promise<number> {
  await setRefreshInterval(stage, intervalSeconds);
  const began = await stage.meter.now();
  const process = await stage.start({ flags: SETTINGS.tuned });
  const end = performance.now() + patienceMs;
  for (;;) {
    await sleep(LOOK_MS);
    const gets = readsOf(stage.meter.between(began, await stage.meter.now()));
    const refreshed = new Set(gets.map(({ who, path }) => `${who}${path}`)).size;
    const last = gets[gets.length - 1];
    if (refreshed >= stage.objects.length && last !== undefined) {
      await process.stop();
      return (last.at - (gets[0]?.at ?? began)) / 1_000;
    }
    if (performance.now() > end) throw new Error(`${refreshed} of ${stage.objects.length} refreshed after ${patienceMs / 1_000} s`);
  }
}
