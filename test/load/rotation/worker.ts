import { setTimeout as sleep } from "node:timers/promises";
import { parseDuration } from "../../../src/domain/duration.ts";
import { SETTINGS } from "../../../src/runtime/settings.ts";
import type { ProductBuild } from "../../support/cluster/built-product.ts";
import { keyvaultInjector } from "../sync/keyvault-injector.ts";
import { type Stage, setStage } from "../sync/stage.ts";
import type { EventQueue } from "./event-queue.ts";
import { firstSync, type Ground, keepLogs } from "./ground.ts";
import type { Measured } from "./measured.ts";
import { measure } from "./rotate.ts";

/** Poll interval for objects without events. With push, nothing else waits for a poll. */
const LONG_POLL_SECONDS = 3_600;

/** A rotation that push has not delivered by then waits for a poll, up to an hour later: it counts as not arrived. */
const PUSH_PATIENCE_MS = 180_000;

/** Time within which the worker catches up on polls that became due while no worker ran. */
const SETTLE_MS = 30_000;

export interface WorkerGround extends Ground {
  readonly build: ProductBuild;
  readonly queue: EventQueue;
}

/**
 * Runs the worker with push and a long poll interval, and without push at the default interval of the settings. Passes each result to
 * `onMeasured`.
 */
export async function runWorker(ground: WorkerGround, onMeasured: (measured: Measured) => void): Promise<void> {
  const { settings, vaults, meter, build } = ground;
  const contestant = keyvaultInjector({ build, profiles: settings.keep });
  const objects = [...(await vaults.grow(settings.secrets))];
  const stage = await setStage({
    contestant,
    vaults,
    objects,
    meter,
    intervalSeconds: LONG_POLL_SECONDS,
    onEnd: (folder) => keepLogs(settings, contestant.name, folder),
  });
  try {
    onMeasured(await withPush(stage, ground));
    onMeasured(await withoutPush(stage, ground));
  } finally {
    await stage.stop();
  }
}

async function withPush(stage: Stage, { settings, queue }: WorkerGround): Promise<Measured> {
  await queue.install(stage.plane);
  const process = await firstSync(stage, settings, [queue.flag]);
  await queue.subscribe();
  await sleep(SETTLE_MS);
  const { rotations, rate: perSecond, seed, restSeconds } = settings;
  const patienceMs = Math.min(settings.patienceMs, PUSH_PATIENCE_MS);
  const contestant = `with push, polls every ${LONG_POLL_SECONDS} s`;
  const measured = await measure(stage, { contestant, process, rotations, perSecond, seed, restSeconds, patienceMs });
  await queue.unsubscribe();
  await process.stop();
  return measured;
}

async function withoutPush(stage: Stage, { settings }: WorkerGround): Promise<Measured> {
  const intervalSeconds = defaultIntervalSeconds();
  const process = await stage.start({ intervalSeconds });
  await sleep(SETTLE_MS);
  const { rotations, rate, seed, restSeconds, patienceMs } = settings;
  return measure(stage, {
    contestant: `without push, polls every ${intervalSeconds} s`,
    process,
    rotations,
    // Over at least one interval, so that each moment of it is equally likely.
    perSecond: Math.min(rate, rotations / intervalSeconds),
    seed: seed + 1,
    restSeconds: Math.max(restSeconds, intervalSeconds),
    patienceMs,
  });
}

function defaultIntervalSeconds(): number {
  const parsed = parseDuration(SETTINGS["rotation-poll-interval"].default);
  if (!parsed.ok) throw new Error(parsed.error);
  return Math.round(parsed.value / 1_000);
}
