import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../support/time/eventually.ts";
import { createClass, mirroredSecrets, send } from "../support/worker/sync-world.ts";
import { type Cell, type Mark, type Rotation, SECRETS, startRotation } from "./cell.ts";
import type { Cells, Evidence, Fault, FaultResult, Lane, Phase, PhaseResult, Strike, Target } from "./fault.ts";
import { PHASES } from "./fault.ts";
import { behind, recovery } from "./judge.ts";
import { doubleWrites } from "./revisions.ts";
import { isSecretWrite, writesAfterTakeover } from "./trails.ts";
import { type FaultWorld, INTERVAL_MS } from "./world.ts";

/** Interval in milliseconds between two changes of a cell's vault while a fault lasts. */
const ROTATION_MS = 500;

/** Number of changes of each vault before the fault ends. */
const ROTATIONS_STRUCK = 5;

const EVIDENCE_MS = 60_000;

/** Time limit for the preparation, which is not measured: an earlier fault may have left back-offs of a minute. */
const PREPARED_MS = 90_000;

/** A poll whose interval the 429s of an earlier fault may have doubled. */
const SETTLED_SECONDS = (2 * INTERVAL_MS) / 1_000 + 15;

/** Creates the two cells to which all faults of a lane apply. The third one is new for each fault. */
export async function openLane(world: FaultWorld): Promise<Lane> {
  const [rest, rotating] = await Promise.all([world.cell({ mayList: true }), world.cell({ mayList: false })]);
  for (const cell of [rest, rotating]) await createClasses(world, cell);
  await eventually(
    async () => (await Promise.all([rest, rotating].map((cell) => behind(world.plane, cell, cell.mark())))).flat().length === 0,
    {
      within: 60_000,
      what: "the lane's first Secrets",
    },
  );
  return { world, rest, rotating };
}

/** Applies one fault to three cells of 50 Secrets, whose vaults change all the time. */
export async function runFault(lane: Lane, fault: Fault): Promise<FaultResult> {
  const { world } = lane;
  const first = await world.cell({ mayList: true });
  const cells: Cells = { "first sync": first, "at rest": lane.rest, "mid-rotation": lane.rotating };
  const before = world.revisions.count(lane.rest) + world.revisions.count(lane.rotating);
  const auditMark = world.audit.mark;
  const rotations: Rotation[] = [];
  try {
    await inPhase(lane, cells);
    for (const phase of ["first sync", "mid-rotation"] as const) rotations.push(startRotation(cells[phase], ROTATION_MS));
    const target: Target = {
      world,
      cells,
      all: Object.values(cells),
      auditMark: world.audit.mark,
      requestMark: await world.requests.mark(),
    };
    const { strike, evidence, marks, started } = await struck(fault, target, rotations);
    const recoveries = await Promise.all(
      PHASES.map((phase) => recovery(world.plane, cells[phase], { mark: at(marks, phase), bound: fault.bound })),
    );
    const waited = (performance.now() - started) / 1_000;
    await Promise.all(rotations.map((rotation) => rotation.stop()));
    const settled = await Promise.all(
      PHASES.map((phase) => recovery(world.plane, cells[phase], { mark: cells[phase].mark(), bound: fault.settles ?? SETTLED_SECONDS })),
    );
    const further = (await strike.problems?.()) ?? [];
    const split = fault.deposesUnseen === true ? [] : writesAfterTakeover(world.audit.since(auditMark));
    const phases = PHASES.map((phase, index): PhaseResult => {
      const cell = cells[phase];
      const lost = [recoveries[index], settled[index]].flatMap((one) => (one?.seconds === undefined ? (one?.lost ?? []) : []));
      const deposed = split
        .filter(({ namespace }) => namespace === cell.namespace)
        .map(({ name, time }) => `${name} was written at ${time} by who led before`);
      return {
        phase,
        seconds: recoveries[index]?.seconds,
        problems: [...lost, ...further, ...doubleWrites(world.revisions, cell), ...deposed],
      };
    });
    const namespaces = new Set(target.all.map(({ namespace }) => namespace));
    return {
      fault: fault.name,
      phases,
      evidence: `${evidence}; ${waited.toFixed(1)} s`,
      rotations: target.all.reduce((sum, cell) => sum + cell.rotations, 0),
      revisions: world.revisions.count(first) + world.revisions.count(lane.rest) + world.revisions.count(lane.rotating) - before,
      writes: world.audit.since(auditMark).filter((entry) => isSecretWrite(entry) && namespaces.has(entry.namespace)).length,
    };
  } finally {
    await Promise.allSettled(rotations.map((rotation) => rotation.stop()));
    await retire(world, first);
  }
}

function at(marks: ReadonlyMap<Phase, Mark>, phase: Phase): Mark {
  return marks.get(phase) ?? new Map();
}

/**
 * Waits until the first cell has some of its Secrets, the rotating cell has renewed some, and the cell at rest has all versions of its
 * vault.
 */
async function inPhase({ world, rest, rotating }: Lane, cells: Cells): Promise<void> {
  const some = (count: number): boolean => count > 0 && count < SECRETS;
  const late = await recovery(world.plane, rest, { mark: rest.mark(), bound: PREPARED_MS / 1_000 });
  if (late.seconds === undefined) throw new Error(`the cell at rest is behind: ${late.lost.slice(0, 3).join("; ")}`);
  await rotating.rotateAll();
  const renewed = rotating.mark();
  await eventually(() => some(world.revisions.reached(rotating, renewed)), {
    within: PREPARED_MS,
    every: 20,
    what: "a rotation under way",
  });
  await createClasses(world, cells["first sync"]);
  await eventually(() => world.revisions.present(cells["first sync"]) > 0, {
    within: PREPARED_MS,
    every: 20,
    what: "the first Secrets of a new namespace",
  });
}

export async function createClasses({ plane }: FaultWorld, cell: Cell): Promise<void> {
  await Promise.all(cell.classes().map((provider) => createClass(plane, provider)));
}

interface Struck {
  readonly strike: Strike;
  readonly evidence: string;
  /** States of the vaults at the end of the fault. */
  readonly marks: ReadonlyMap<Phase, Mark>;
  readonly started: number;
}

async function struck(fault: Fault, target: Target, rotations: Rotation[]): Promise<Struck> {
  const { cells, all } = target;
  const before = all.map(({ rotations: count }) => count);
  const strike = await fault.strike(target);
  rotations.push(startRotation(cells["at rest"], ROTATION_MS));
  try {
    const evidence = await seen(strike.evidence, fault.name);
    const isStruckLongEnough = (): boolean => all.every((cell, index) => cell.rotations >= (before[index] ?? 0) + ROTATIONS_STRUCK);
    await eventually(isStruckLongEnough, { what: "changes of the vaults under the fault" });
    const last = (await strike.evidence()) ?? evidence;
    await strike.mend();
    const marks = new Map(PHASES.map((phase) => [phase, cells[phase].mark()]));
    return { strike, evidence: last, marks, started: performance.now() };
  } catch (error) {
    await strike.mend().catch(() => undefined);
    throw error;
  }
}

function seen(evidence: Evidence, name: string): Promise<string> {
  return eventually(async () => evidence(), { within: EVIDENCE_MS, every: 100, what: `a sign of "${name}" in a log that is not ours` });
}

/** Deletes the cell's classes and thereby its Secrets, so that the worker is not busy with them at the next fault. */
async function retire({ plane }: FaultWorld, cell: Cell): Promise<void> {
  const classes = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${cell.namespace}/secretproviderclasses`;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await send(plane, { method: "DELETE", path: classes }).catch(() => undefined);
    if ((await mirroredSecrets(plane, cell.namespace).catch(() => [{}])).length === 0) return;
    await pause(500);
  }
}
