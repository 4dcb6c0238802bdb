/**
 * `npm run test:events`: thousands of events of a vault, with duplicates, malformed and reordered ones, while the queue fails and leaders
 * are killed. Uses a real API server, with three replicas of the worker with their own ServiceAccount. The next poll is a day away.
 *
 * node test/faults/events/main.ts [--events 10000] [--kills 10] [--hand-overs 2] [--seed 1]
 *
 * Needs KUBEBUILDER_ASSETS. Exits with code 1 if a rotation was lost, if a message or a class got stuck, if the worker exceeded its budget
 * for the vault, or if the control did not find one of these problems.
 */
import { scriptArguments } from "../../../tools/script-arguments.ts";
import { randomFrom } from "../../support/fixtures/random.ts";
import { Replicas } from "../replicas.ts";
import { BUDGET } from "./budget.ts";
import { runControl } from "./control.ts";
import { type RunResult, runEvents } from "./run.ts";
import { TROUBLES } from "./troubles.ts";
import { startEventWorld } from "./world.ts";

const { values } = scriptArguments("npm run test:events -- [--events 10000] [--kills 10] [--hand-overs 2] [--seed 1]", {
  options: {
    events: { type: "string", default: "10000" },
    kills: { type: "string", default: "10" },
    "hand-overs": { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
  },
});

const REPLICAS = 3;
/**
 * Time in milliseconds without progress after which the rest counts as lost. A reader that failed often waits a minute, a message is hidden
 * for half a minute, and the worker searches 20 seconds for a version.
 */
const SETTLED_MS = 120_000;
/** Length of each trouble per kill, in milliseconds. It lasts while leaders change. */
const TROUBLE_MS = 3_000;
const LEAST_TROUBLE_MS = 12_000;

const [events, kills, handOvers, seed] = [values.events, values.kills, values["hand-overs"], values.seed].map(Number);

function report(result: RunResult): void {
  const { duplicates, malformed, rotations, objects, classes, changes, lost, stuck, budget } = result;
  const killed = changes.filter(({ how }) => how === "killed");
  const [most, across] = [budget.most, budget.acrossChanges];
  console.log(
    `events: ${rotations} rotations of ${objects} objects in ${classes} classes; ${killed.filter(({ inHand }) => inHand > 0).length} of ${killed.length} leaders were killed with messages in hand, ${result.leaders} led in all`,
  );
  console.log(`events: the vault answered ${budget.gets} GETs and ${budget.lists} lists, ${budget.throttled} of them 429`);
  console.log(
    `events: at most ${most.all} requests in 10 s of ${BUDGET.all}, ${most.keys} for keys of ${BUDGET.keys}; across a change of leader ${across.all} and ${across.keys}`,
  );
  for (const problem of [...lost, ...stuck].slice(0, 10)) console.log(`  ${problem}`);
  console.log(
    `${result.events} events, ${duplicates} duplicates, ${malformed} malformed, queue away ${TROUBLES.length} times, leader killed ${killed.length} times: ${lost.length} lost, ${stuck.length} stuck${budget.isAbove ? ", above the budget" : ""}`,
  );
}

const started = performance.now();
const world = await startEventWorld();
try {
  const replicas = new Replicas(world.product);
  await replicas.start(REPLICAS, world.args);
  const random = randomFrom(seed ?? 1);
  const length = Math.max(LEAST_TROUBLE_MS, TROUBLE_MS * (kills ?? 0));
  const troubles = TROUBLES.map((trouble) => [trouble, length] as const);
  const size = { events: events ?? 0, kills: kills ?? 0, handOvers: handOvers ?? 0 };
  const result = await runEvents({
    world,
    product: world.product,
    replicas,
    random,
    prefix: "shop",
    size,
    troubles,
    settledMs: SETTLED_MS,
  });
  await replicas.close();
  report(result);
  const isControlled = await runControl(world);
  process.exitCode = result.lost.length + result.stuck.length > 0 || result.budget.isAbove || !isControlled ? 1 : 0;
} finally {
  await world.stop();
}
console.log(`events: all in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
