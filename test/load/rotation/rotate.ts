import { setTimeout as sleep } from "node:timers/promises";
import { objectKey } from "../../../src/domain/object-key.ts";
import type { EventRecord } from "../../../tools/key-vault-emulator/queues/event-log.ts";
import { Random } from "../../simulation/time/random.ts";
import type { Launched } from "../launch.ts";
import { watchOthers } from "../other-load.ts";
import { cpuNanoseconds } from "../process-usage.ts";
import type { Stage } from "../sync/stage.ts";
import { readsOf, type VaultRequest } from "../sync/vault-meter.ts";
import type { BenchObject } from "../sync/vaults.ts";
import { arrivedWhileRunning } from "./ground.ts";
import { type Measured, mean, type Requests, type Rotation } from "./measured.ts";

export interface Course {
  readonly contestant: string;
  readonly process: Launched;
  readonly rotations: number;
  readonly perSecond: number;
  readonly seed: number;
  /** Seconds without a rotation, before the rotations. */
  readonly restSeconds: number;
  /** Maximum wait in milliseconds after the last rotation, for rotations that have not arrived. */
  readonly patienceMs: number;
  /** Returns the Unix time in milliseconds of the contestant's next query of each object, by `namespace/name`. */
  readonly due?: () => Promise<ReadonlyMap<string, number>>;
}

/** Rotates random objects, each once, at a fixed rate that does not depend on their arrival. */
export async function measure(stage: Stage, course: Course): Promise<Measured> {
  const rest = await takeRest(stage, course);
  const drawn = draw(stage.objects, course);
  const dueBefore = (await course.due?.()) ?? new Map<string, number>();
  const [others, cpu, from] = [watchOthers(), cpuOf(course), await stage.meter.now()];
  const after = (await stage.vaults.emulator.events()).at(-1)?.sequence ?? 0;
  const lastAt = await rotateAll(stage, drawn, course.perSecond);
  const { seenAt } = await arrivedWhileRunning(stage, course.process, course.patienceMs);
  const to = await stage.meter.now();
  const cpuMs = (cpuOf(course) - cpu) / 1e6;
  const requests = stage.meter.between(from, to);
  const join = { events: byObject(await stage.vaults.emulator.events({ after })), seenAt, dueBefore, gets: getsOf(requests) };
  const minutes = (to - from) / 60_000;
  const rotations = drawn.map((object) => rotationOf(object, join));
  return {
    contestant: course.contestant,
    secrets: stage.objects.length,
    rotations,
    watchedMs: to - lastAt,
    vault: { atRestPerMinute: rest.vault, perRotation: mean(rotations.map(({ gets }) => gets)) },
    queue: rest.queue === 0 ? undefined : queueRequests(rest.queue, { all: ofQueue(requests).length, minutes, rotations: drawn.length }),
    cpu: { atRest: rest.cpuMs, whileRotating: cpuMs / minutes, othersCores: others() },
    notes: [],
  };
}

interface Counted {
  readonly all: number;
  readonly minutes: number;
  readonly rotations: number;
}

function queueRequests(atRestPerMinute: number, { all, minutes, rotations }: Counted): Requests {
  return { atRestPerMinute, perRotation: (all - atRestPerMinute * minutes) / rotations };
}

/** Transactions per minute at rest. */
interface Rest {
  readonly vault: number;
  readonly queue: number;
  readonly cpuMs: number;
}

async function takeRest({ meter }: Stage, course: Course): Promise<Rest> {
  const [from, cpu] = [await meter.now(), cpuOf(course)];
  await sleep(course.restSeconds * 1_000);
  const to = await meter.now();
  const minutes = (to - from) / 60_000;
  const requests = meter.between(from, to);
  return {
    vault: readsOf(requests).length / minutes,
    queue: ofQueue(requests).length / minutes,
    cpuMs: (cpuOf(course) - cpu) / 1e6 / minutes,
  };
}

/**
 * Returns the CPU time in nanoseconds. Throws with the end of the process's output if it has ended: otherwise the figure would belong to
 * another process.
 */
function cpuOf({ contestant, process }: Course): number {
  try {
    return cpuNanoseconds(process.pid);
  } catch (cause) {
    throw new Error(`${contestant}: the process has ended while it was measured\n${process.said()}`, { cause });
  }
}

function ofQueue(requests: readonly VaultRequest[]): readonly VaultRequest[] {
  return requests.filter(({ kind }) => kind === "queue");
}

function draw(objects: readonly BenchObject[], { rotations, seed }: Course): readonly BenchObject[] {
  const [random, left] = [new Random(seed), [...objects]];
  return Array.from({ length: rotations }, () => {
    const [drawn] = left.splice(random.below(left.length), 1);
    if (drawn === undefined) throw new Error("fewer objects than rotations");
    return drawn;
  });
}

/** Rotates all objects. Resolves with the Unix time of the last rotation in milliseconds. */
async function rotateAll({ vaults, secrets }: Stage, objects: readonly BenchObject[], perSecond: number): Promise<number> {
  const began = performance.now();
  const rotating: Promise<void>[] = [];
  for (const [index, object] of objects.entries()) {
    const wait = began + (index * 1_000) / perSecond - performance.now();
    if (wait > 0) await sleep(wait);
    const rotation = vaults.rotate([object], () => secrets.expect([object]));
    // The `Promise.all` below reports a failure. Until then it must not be an unhandled rejection.
    rotation.catch(() => undefined);
    rotating.push(rotation);
  }
  await Promise.all(rotating);
  return Date.now();
}

interface Join {
  readonly events: ReadonlyMap<string, EventRecord>;
  readonly seenAt: ReadonlyMap<string, number>;
  readonly dueBefore: ReadonlyMap<string, number>;
  readonly gets: ReadonlyMap<string, readonly number[]>;
}

function rotationOf({ vault, name }: BenchObject, { events, seenAt, dueBefore, gets }: Join): Rotation {
  const key = objectKey({ namespace: vault.name, name });
  const event = events.get(key);
  if (event === undefined) throw new Error(`the emulator knows of no new version of ${key}`);
  const { madeAt, delivered } = event;
  const writtenAt = seenAt.get(key);
  const asked = (gets.get(key) ?? []).filter((at) => at >= madeAt && at <= (writtenAt ?? Number.POSITIVE_INFINITY));
  return { madeAt, queuedAt: delivered[0]?.at, writtenAt, dueAt: dueBefore.get(key), gets: asked.length };
}

function byObject(events: readonly EventRecord[]): ReadonlyMap<string, EventRecord> {
  return new Map(events.map((event) => [objectKey({ namespace: event.vault, name: event.name }), event]));
}

/** Returns the Unix times in milliseconds of the requests for each object. */
function getsOf(requests: readonly VaultRequest[]): ReadonlyMap<string, readonly number[]> {
  const gets = requests.filter(({ kind }) => kind === "get");
  const grouped = Map.groupBy(gets, ({ who, path }) => objectKey({ namespace: who.split(".")[0] ?? "", name: path.split("/")[2] ?? "" }));
  return new Map([...grouped].map(([key, ofObject]) => [key, ofObject.map(({ at }) => at)]));
}
