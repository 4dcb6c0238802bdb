/**
 * Users change classes, vault objects and Secrets at random on a real API server. The test compares the result with a model of the
 * specification.
 *
 * KEYVAULT_INJECTOR_SEED=<number> creates other plans, KEYVAULT_INJECTOR_BURSTS=<number> longer ones.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { assertNothingForbidden, type SyncWorld, secretPath, send, startSyncWorld } from "../support/worker/sync-world.ts";
import { CONTROLS, SLOW_RENAME } from "./sync-model/controls.ts";
import type { Step } from "./sync-model/effects.ts";
import { firstDifference } from "./sync-model/judge.ts";
import { type Lists, sharedLists } from "./sync-model/observe.ts";
import { CLASS_NAMES, type Plan, planOf } from "./sync-model/operations.ts";
import { type PlanRun, runPlan } from "./sync-model/run-plan.ts";
import { smallestPlan } from "./sync-model/smallest.ts";
import { type Rules, SPECIFICATION } from "./sync-model/specification.ts";

const refusal = controlPlaneRefusal();
const SEED = Number(process.env["KEYVAULT_INJECTOR_SEED"] ?? "20261124");
/** Number of bursts for each namespace, with one to three operations each. */
const BURSTS = Number(process.env["KEYVAULT_INJECTOR_BURSTS"] ?? "10");

/** The namespaces run in parallel, since each mostly waits for the worker. Each has six classes. */
const NAMESPACES = 20;
/** Time for the search for a shorter plan that fails, in milliseconds. */
const SHRINK_MS = 120_000;

const SYNC = { args: ["--rotation-poll-interval=10s", "--unused-grace=1s"] };

let world: SyncWorld;
let worker: ProductProcess;
let lists: Lists;
let serial = 0;
let runs: readonly PlanRun[] = [];
let controls: ReadonlyMap<string, PlanRun> = new Map();

const unique = (): string => `value-${(serial += 1)}`;

async function run(plan: Plan): Promise<PlanRun> {
  const namespace = await world.namespace();
  return runPlan({ stage: { world, namespace, unique }, lists }, plan);
}

/** Lets the worker see a class renamed in two steps, as it does on a busy machine. */
async function runWithSlowRename(plan: Plan): Promise<PlanRun> {
  const namespace = await world.namespace();
  const isGone = async () => !(await lists.secrets(namespace)).has("s-0");
  const whileRenaming = () => eventually(isGone, { what: "the deletion of the Secret of a deleted class" });
  return runPlan({ stage: { world, namespace, unique, whileRenaming }, lists }, plan);
}

/** Returns the executed part of the plan, without skipped operations and without those after the difference. */
function planIn(plan: Plan, { episodes }: PlanRun): Plan {
  return { classes: plan.classes, bursts: episodes.slice(1).map(({ steps }) => steps.map(({ operation }) => operation)) };
}

async function report(plan: Plan, failed: PlanRun): Promise<string> {
  const end = performance.now() + SHRINK_MS;
  const isOver = () => performance.now() > end;
  const fails = async (shorter: Plan) => (await run(shorter)).differences.length > 0;
  const smallest = await smallestPlan(planIn(plan, failed), fails, isOver);
  return [
    `seed ${SEED}: after ${failed.episodes.length} bursts in ${failed.namespace}`,
    ...failed.differences,
    `the smallest plan found that fails: ${JSON.stringify(smallest)}`,
    `the end of the worker's log: ${worker.log().slice(-2_000)}`,
  ].join("\n");
}

/** Returns the kinds of executed operations. */
function kindsIn({ episodes }: PlanRun): readonly string[] {
  const [made, ...later] = episodes;
  const first = (made?.steps ?? []).map(() => "make a class");
  const known = new Set(CLASS_NAMES.map(String));
  const kindOf = ({ operation, created }: Step): string => {
    if (operation.kind !== "write the class") return operation.kind;
    if (created === undefined) return "edit the class";
    return known.has(operation.name) ? "recreate the class" : "make a class";
  };
  return [...first, ...later.flatMap(({ steps }) => steps.map(kindOf))];
}

function countsOf(all: readonly PlanRun[]): string {
  const kinds = all.flatMap(kindsIn);
  const counts = [...Map.groupBy(kinds, (kind) => kind)].map(([kind, found]) => ({ kind, count: found.length }));
  const reported = counts.sort((a, b) => b.count - a.count).map(({ kind, count }) => `${count} ${kind}`);
  return `${kinds.length} operations on ${all.length * CLASS_NAMES.length} classes: ${reported.join(", ")}`;
}

describe("the Secrets of a namespace", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["list"] });
    worker = await world.product.start("sync", SYNC);
    lists = sharedLists(world);
  });
  after(async () => {
    await world?.stop();
  });

  test("are what the specification says, whatever is done to classes, vault and Secrets", async () => {
    const plans = fc.sample(planOf(BURSTS), { seed: SEED, numRuns: NAMESPACES });
    runs = await Promise.all(plans.map(run));
    console.log(`sync-model: seed ${SEED} (KEYVAULT_INJECTOR_SEED); ${countsOf(runs)}`);

    const index = runs.findIndex(({ differences }) => differences.length > 0);
    const [failed, plan] = [runs[index], plans[index]];
    if (failed !== undefined && plan !== undefined) assert.fail(await report(plan, failed));
  });

  test("are so in the plans that each are about one rule", async () => {
    controls = new Map(await Promise.all(Object.entries(CONTROLS).map(async ([rule, plan]) => [rule, await run(plan)] as const)));

    for (const [rule, { differences }] of controls) assert.deepEqual(differences, [], rule);
  });

  test("SM1: are so where the worker acts between the two requests of a rename", async () => {
    const { differences } = await runWithSlowRename(SLOW_RENAME);
    assert.deepEqual(differences, []);
  });

  test("would be found to differ without any one of the rules", () => {
    const rules = Object.keys(SPECIFICATION) as readonly (keyof Rules)[];
    const found = rules.filter((rule) => {
      const { start, episodes = [] } = controls.get(rule) ?? {};
      return start !== undefined && firstDifference(start, episodes, { ...SPECIFICATION, [rule]: false }) !== undefined;
    });
    console.log(`sync-model: control: ${found.length} of ${rules.length} rules turned off, and seen in what the worker had made`);
    assert.deepEqual(found, rules);
  });

  test("needed no request that was refused", () => assertNothingForbidden("sync-model", world.plane));

  test("would be found to differ where nobody repairs them", async () => {
    await worker.stop();
    const mirrored = runs.flatMap(({ namespace, episodes }) => {
      const ours = [...(episodes.at(-1)?.seen ?? [])].filter(([, { labels }]) => labels["keyvault-injector.dev/managed"] === "true");
      return ours.map(([name]) => ({ namespace, name }));
    });
    const [victim] = mirrored;
    assert.ok(victim);
    await send(world.plane, { method: "DELETE", path: secretPath(victim.namespace, victim.name) });

    const damaged = runs.find(({ namespace }) => namespace === victim.namespace);
    assert.ok(damaged);
    const episode = { steps: [], seen: await lists.secrets(victim.namespace) };
    const differences = firstDifference(damaged.start, [...damaged.episodes, episode], SPECIFICATION) ?? [];
    console.log(`sync-model: control: ${differences.length} difference with the worker stopped and a Secret deleted`);
    assert.equal(differences.length, 1);
    assert.match(differences[0] ?? "", /there is nothing; the specification allows \{/);
  });
});
