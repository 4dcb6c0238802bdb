import assert from "node:assert/strict";
import { mayHoldDeadTokens } from "../../../src/domain/healing/account-tokens.ts";
import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { eventually } from "../time/eventually.ts";
import { contentOf, type DamagedCluster, manifestOf, readTarget, type Target, versionOf } from "./cluster.ts";
import type { Damage } from "./table.ts";

export interface DamageResult {
  readonly damage: Damage;
  /** Time in milliseconds from the end of the damage until the object is intact. Undefined if it stayed damaged. */
  readonly healedAfter: number | undefined;
}

/**
 * Times in milliseconds. `within` must suffice for deleted objects, which the worker recreates only after 10 s. For damage that is not
 * healed, the test waits the whole time.
 */
export interface Patience {
  readonly within: number;
  /** Interval between two checks. Default 100. */
  readonly every?: number;
}

const REPORTED_WITHIN_MS = 10_000;

/** Arranges the damage in as few rounds as its targets allow, deletions first. For the control, in which the order does not matter. */
export function packed(damages: readonly Damage[]): readonly (readonly Damage[])[] {
  const rounds: Damage[][] = [];
  const isDeletion = ({ operation }: Damage): boolean => operation.operation.startsWith("delete");
  for (const damage of damages.toSorted((a, b) => Number(isDeletion(b)) - Number(isDeletion(a)))) {
    const free = rounds.find(
      (round) => !round.some(({ target }) => target.resource === damage.target.resource && target.name === damage.target.name),
    );
    if (free === undefined) rounds.push([damage]);
    else free.push(damage);
  }
  return rounds;
}

/** Whether the round contains a deletion, before whose repair the worker waits. */
export function hasDeletion(round: readonly Damage[]): boolean {
  return round.some(({ operation }) => operation.operation.startsWith("delete"));
}

const nameOf = ({ target, operation }: Damage): string => `${operation.operation} ${target.resource.kind} ${target.name}`;

async function wholeContent(cluster: DamagedCluster, target: Target): Promise<string> {
  const live = await readTarget(cluster, target);
  if (live === undefined) throw new Error(`${target.resource.kind} ${target.name} is not there before its damage`);
  return contentOf(live);
}

/** Inflicts the damage of one round, and waits until each object equals its former state. */
export async function runRound(cluster: DamagedCluster, round: readonly Damage[], patience: Patience): Promise<readonly DamageResult[]> {
  const before = await Promise.all(round.map(({ target }) => wholeContent(cluster, target)));
  return Promise.all(
    round.map(async (damage, index) => {
      await damage.operation.inflict(cluster, damage.target);
      return { damage, healedAfter: await untilWhole(cluster, { target: damage.target, content: before[index] ?? "" }, patience) };
    }),
  );
}

interface Whole {
  readonly target: Target;
  readonly content: string;
}

async function untilWhole(
  cluster: DamagedCluster,
  { target, content }: Whole,
  { within, every = 100 }: Patience,
): Promise<number | undefined> {
  const started = performance.now();
  const isWhole = async (): Promise<boolean> => {
    const live = await readTarget(cluster, target);
    return live !== undefined && live.metadata.deletionTimestamp === undefined && contentOf(live) === content;
  };
  try {
    await eventually(isWhole, { within, every });
    return performance.now() - started;
  } catch {
    return undefined;
  }
}

/** Applies the damaged objects once more as the installer, without force, and asserts that nothing changes. */
export async function assertNothingToApply(cluster: DamagedCluster, round: readonly Damage[]): Promise<void> {
  const targets = round.map(({ target }) => target);
  const read = (): Promise<readonly (KubeObject | undefined)[]> => Promise.all(targets.map((target) => readTarget(cluster, target)));
  const before = await eventually(() => settledVersions(read), { what: "objects at rest" });
  await cluster.apply(targets.map((target) => manifestOf(cluster, target)));
  const after = await read();
  const changed = targets.flatMap(({ resource, name }, index) => {
    const live = after[index];
    const now = live === undefined ? "not there" : versionOf(live);
    return now === before[index] ? [] : [`${resource.kind} ${name}: ${before[index]} became ${now}`];
  });
  assert.deepEqual(changed, [], "the installer's next apply changed something");
}

/**
 * The worker restores field ownership last. The objects are at rest when two reads are equal, and no workload must restart because of its
 * ServiceAccount.
 */
async function settledVersions(read: () => Promise<readonly (KubeObject | undefined)[]>): Promise<readonly string[] | undefined> {
  const versionsOf = (objects: readonly (KubeObject | undefined)[]): readonly string[] =>
    objects.map((live) => (live === undefined ? "" : versionOf(live)));
  const first = await read();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const second = await read();
  if (JSON.stringify(versionsOf(first)) !== JSON.stringify(versionsOf(second))) return undefined;
  return isRestartDue(second.filter((live) => live !== undefined)) ? undefined : versionsOf(second);
}

/** Whether the worker still must restart one of the workloads because of a recreated ServiceAccount among the objects. */
function isRestartDue(objects: readonly KubeObject[]): boolean {
  const now = Date.now();
  const accounts = objects.filter(({ kind }) => kind === "ServiceAccount");
  return accounts.some((account) =>
    objects.some((workload) => workload.metadata.namespace === account.metadata.namespace && mayHoldDeadTokens({ account, workload, now })),
  );
}

/** Reports about damage that the worker leaves to users. */
export interface Reports {
  isReported(target: Target): Promise<boolean>;
}

/** Times in milliseconds. A report must exist within 10 s. */
export interface Reporting {
  readonly reports: Reports;
  /** Time limit for the end of a report about an intact object. */
  readonly ended: number;
  /** Interval between two checks. */
  readonly every: number;
}

/**
 * Time in milliseconds until the worker reported the damage. Asserts that the worker did not write the object. Then repairs it as the
 * installer.
 */
export async function reportedAfter(
  cluster: DamagedCluster,
  { target, operation }: Damage,
  { reports, ended, every }: Reporting,
): Promise<number> {
  const what = `${target.resource.kind} ${target.name}`;
  const isWhole = async (): Promise<boolean> => !(await reports.isReported(target));
  await eventually(isWhole, { within: ended, every, what: `${what} to be whole before its damage` });
  await operation.inflict(cluster, target);
  const started = performance.now();
  await eventually(() => reports.isReported(target), { within: REPORTED_WITHIN_MS, every, what: `the report of ${what}` });
  const took = performance.now() - started;
  const managers = ((await readTarget(cluster, target))?.metadata.managedFields ?? []).map(({ manager }) => manager);
  assert.ok(!managers.includes("keyvault-injector-sync"), `${what} was written by the worker`);
  await cluster.reinstall([manifestOf(cluster, target)]);
  await eventually(isWhole, { within: ended, every, what: `the end of the report of ${what}` });
  return took;
}

/** Last line of a run's output. */
export function summaryOf(results: readonly DamageResult[]): string {
  const times = results.flatMap(({ healedAfter }) => healedAfter ?? []).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? Number.NaN;
  return `${times.length}/${results.length} healed, median ${median.toFixed(0)} ms, max ${(times.at(-1) ?? Number.NaN).toFixed(0)} ms`;
}

export function brokenIn(results: readonly DamageResult[]): readonly string[] {
  return results.filter(({ healedAfter }) => healedAfter === undefined).map(({ damage }) => nameOf(damage));
}

export interface DamageCounts {
  readonly kinds: number;
  readonly operations: number;
  readonly resources: number;
}

export function countsOf(damages: readonly Damage[]): DamageCounts {
  return {
    kinds: new Set(damages.map(nameOf)).size,
    operations: new Set(damages.map(({ operation }) => operation.operation)).size,
    resources: new Set(damages.map(({ target }) => target.resource.kind)).size,
  };
}
