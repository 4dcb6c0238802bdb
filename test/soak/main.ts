/**
 * `npm run soak -- [minutes] [--leak]`: weeks of a cluster's life in minutes. On a real node with everything installed, pods and classes
 * come and go, objects are rotated, certificates renew by a compressed clock, and every few seconds something is broken. At the end
 * everything must be as the vault has it, and nothing may have grown: results/soak.svg shows it.
 *
 * `--leak` is the control: our processes are built with a leak, and the run must fail.
 *
 * Ten minutes by default; needs root and KUBEBUILDER_ASSETS. Exits with 1 where anything was lost, grew or leaked, or where too little
 * happened to prove anything.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { INJECTOR_NAMESPACE, injecting, injectorReady, nodeSideReady } from "../e2e/support/install.ts";
import { realNodeRefusal } from "../e2e/support/node.ts";
import { randomFrom } from "../support/fixtures/random.ts";
import { eventually } from "../support/time/eventually.ts";
import { findLeaks } from "../support/worker/canary.ts";
import { type Churn, changeClassesAtRandom, noCounts, rotateAtRandom, runPodsAtRandom } from "./churn.ts";
import { deleteAgain, mustHold } from "./deletions.ts";
import { lostIn } from "./expected.ts";
import { plotOf } from "./plot.ts";
import { type MeasureName, Samples } from "./samples.ts";
import { STRIKES } from "./strikes.ts";
import { type Flatness, flatness, returned, thinness } from "./verdict.ts";
import { NAMESPACE, type SoakWorld, startSoakWorld } from "./world.ts";

const RESULTS = path.resolve(import.meta.dirname, "../../results");
/** Between two looks at the processes, and between two strikes (milliseconds). */
const SAMPLE_MS = 5_000;
const STRIKE_MS = 4_000;
/** Both before and after the storm (milliseconds). */
const REST_MS = 40_000;
/** The longest waits of the worker after a fault, one after the other (milliseconds). */
const SETTLES_WITHIN = 180_000;

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { leak: { type: "boolean", default: false }, seed: { type: "string", default: "20261125" } },
});
const minutes = Number(positionals[0] ?? "10");
if (!(minutes > 0)) throw new Error(`soak: ${JSON.stringify(positionals[0])} is no number of minutes; write npm run soak -- 10`);
const refusal = await realNodeRefusal();
if (refusal !== undefined) {
  console.log(`soak: SKIPPED: ${refusal}`);
  process.exit(process.env["CI"] === "true" ? 1 : 0);
}

const say = (line: string): void => console.log(`soak: ${line}`);
const world = await startSoakWorld({ leaks: flags.leak, progress: say });
try {
  process.exitCode = (await soak(world)) ? 0 : 1;
} finally {
  await world.stop();
}

async function soak(soakWorld: SoakWorld): Promise<boolean> {
  const random = randomFrom(Number(flags.seed));
  say(`seed ${flags.seed}, ${minutes} min${flags.leak ? ", with a planted leak" : ""}`);
  await settled(soakWorld);
  // The leader: a standby that takes over holds more at the end than at the beginning.
  const spared = [await soakWorld.leader(), ...(await soakWorld.ourPods("webhook")).slice(0, 1)];
  const samples = new Samples(soakWorld, spared);
  await sampled(samples, pause(REST_MS));
  samples.beginStorm();

  const counts = noCounts();
  const over = AbortSignal.timeout(minutes * 60_000);
  const churn: Churn = { world: soakWorld, random, counts, over };
  const struck = new Map<string, number>();
  const strikeTimes: number[] = [];
  const definitionsDeletedAt: number[] = [];
  const began = performance.now();
  const parts = [
    rotateAtRandom(churn),
    changeClassesAtRandom(churn),
    runPodsAtRandom(churn),
    strikeAtRandom(churn, new Set(spared), (name, at) => {
      struck.set(name, (struck.get(name) ?? 0) + 1);
      strikeTimes.push((performance.now() - began) / 1_000);
      if (name.includes("CRD")) definitionsDeletedAt.push(at);
    }),
  ];
  const problems = (await sampled(samples, Promise.allSettled(parts))).flatMap((one) =>
    one.status === "rejected" ? [String(one.reason)] : [],
  );
  await mended(soakWorld);
  const back = new Set<string>();
  const lost = await settled(soakWorld, async () => {
    for (const name of await deleteAgain(soakWorld)) back.add(name);
  });
  const held = counts.deletions.filter((deletion) => mustHold(deletion, definitionsDeletedAt));
  const undone = held.filter(({ name }) => back.has(name));
  const writesBefore = samples.writes();
  await sampled(samples, pause(REST_MS));
  const writesAtRest = samples.writes() - writesBefore;

  const seconds = minutes * 60;
  const measured = spared.flatMap((pod) => [
    flatness(samples.of(pod, "RSS, MiB"), seconds),
    flatness(samples.of(pod, "heap in use, MiB"), seconds),
    returned(samples.of(pod, "sockets and files"), seconds),
    returned(samples.of(pod, "timers"), seconds),
    returned(samples.of(pod, "queue"), seconds),
  ]);
  const all: readonly Flatness[] = [...measured, flatness(samples.written, seconds)];
  for (const { name, middle, last, isFlat } of all) say(`${name}: ${middle.toFixed(0)} -> ${last.toFixed(0)}${isFlat ? "" : " GROWS"}`);
  const leaks = await leakedValues(soakWorld, samples.texts);
  const restarts = await restartsOf(soakWorld, spared);
  plot(samples, spared, { strikes: strikeTimes, seconds });

  const strikes = strikeTimes.length;
  for (const [name, times] of [...struck].sort(([a], [b]) => a.localeCompare(b))) say(`struck ${times} times: ${name}`);
  say(`${strikes} strikes of ${struck.size} faults, ${counts.rotations} rotations, ${counts.podsReady} pods read their secret`);
  say(
    `classes: ${counts.classesMade} made, ${counts.classesEdited} edited, ${counts.deletions.length} deleted; ${counts.podsDenied} denials, retried`,
  );
  say(
    `deletions: ${held.length} with no CRD's deletion near, ${undone.length} of them undone; ${back.size - undone.length} others repeated`,
  );
  const grown = all.filter(({ isFlat }) => !isFlat).map(({ name }) => `${name} grows`);
  const failures = [
    ...problems,
    ...lost,
    ...undone.map(({ name }) => `class ${name} came back, though no CRD was deleted with it`),
    ...leaks,
    ...restarts,
    ...grown,
    ...(writesAtRest === 0 ? [] : [`${writesAtRest} API writes at rest after the storm`]),
    ...thinness({ strikes, rotations: counts.rotations, minutes }),
  ];
  for (const failure of failures) say(`FAILED: ${failure}`);
  say(`${grown.length === 0 ? "flat" : "NOT flat"}, ${lost.length} lost${failures.length === 0 ? "" : `, ${failures.length} problems`}`);
  return failures.length === 0;
}

async function sampled<T>(samples: Samples, meanwhile: Promise<T>): Promise<T> {
  const end = new AbortController();
  const looking = (async () => {
    while (!end.signal.aborted) {
      await samples.take();
      await pause(SAMPLE_MS, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  try {
    return await meanwhile;
  } finally {
    end.abort();
    await looking;
  }
}

/** One after the other in random order, each as often as the others. */
async function strikeAtRandom(
  { world: soakWorld, random, over }: Churn,
  spared: ReadonlySet<string>,
  onStrike: (name: string, at: number) => void,
): Promise<void> {
  while (!over.aborted) {
    const shuffled = STRIKES.map((strike) => ({ strike, order: random.integer(0, 1_000_000) })).sort((a, b) => a.order - b.order);
    for (const { strike } of shuffled) {
      if (over.aborted) return;
      try {
        const at = performance.now();
        await strike.run(soakWorld, { random, spared });
        onStrike(strike.name, at);
      } catch (error) {
        say(`did not strike: ${strike.name}: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`);
      }
      await pause(STRIKE_MS, undefined, { signal: over }).catch(() => undefined);
    }
  }
}

/** Nothing is broken by us any more, and what is broken is whole again. */
async function mended(soakWorld: SoakWorld): Promise<void> {
  const { emulator, cell, node, kube, signal } = soakWorld;
  await emulator.clearFaults();
  await cell.grant();
  await soakWorld.writeCredentials();
  const definitions = async (): Promise<boolean> => (await kube.list(RESOURCES.customResourceDefinitions, {}, signal)).length === 3;
  await eventually(definitions, { within: SETTLES_WITHIN, every: 1_000, what: "the definitions" });
  await injectorReady(node);
  await nodeSideReady(node, "90s");
  await injecting(node, 60_000);
}

/** Every Secret as the vault has it, or what was lost. */
async function settled(soakWorld: SoakWorld, before: () => Promise<void> = async () => undefined): Promise<readonly string[]> {
  let lost: readonly string[] = ["not reconciled"];
  const check = async (): Promise<boolean> => {
    await before();
    lost = await lostIn(soakWorld);
    return lost.length === 0;
  };
  await eventually(check, { within: SETTLES_WITHIN, every: 1_000 }).catch(() => undefined);
  return lost;
}

/** Values that the vault had, in any encoding, in anything that people read. */
async function leakedValues({ cell, node }: SoakWorld, metrics: readonly string[]): Promise<readonly string[]> {
  const last = cell.mark();
  const values = cell.names.flatMap((name) =>
    Array.from({ length: (last.get(name) ?? 0) + 1 }, (_, index) => cell.valueAt(name, index) ?? "none"),
  );
  const texts = [
    { name: "metrics", text: metrics.join("\n") },
    { name: "events", text: await node.kubectl(["get", "events", "--all-namespaces", "--output=json"]) },
    { name: "statuses", text: await node.kubectl(["get", "spcsync,secretproviderclass", `--namespace=${NAMESPACE}`, "--output=json"]) },
    { name: "snapshots", text: await node.kubectl(["get", "controllerrevisions", "--all-namespaces", "--output=json"]) },
    ...(await Promise.all(["sync", "webhook"].map((component) => logOf(node, component)))),
  ];
  const planted = findLeaks(values.slice(0, 1), [{ name: "planted", text: `x${Buffer.from(values[0] ?? "").toString("base64")}` }]);
  if (planted.length === 0) return ["the search for values does not find a planted one"];
  return findLeaks(values, texts).map(({ where, encoding, value }) => `value ${value} stands in ${where} (${encoding})`);
}

async function logOf(node: SoakWorld["node"], component: string): Promise<{ readonly name: string; readonly text: string }> {
  const selector = `--selector=app.kubernetes.io/component=${component}`;
  const text = await node.kubectl(["logs", selector, `--namespace=${INJECTOR_NAMESPACE}`, "--tail=-1"]);
  return { name: `log of ${component}`, text };
}

/** Those that were to live from beginning to end, and did not. */
async function restartsOf({ node }: SoakWorld, pods: readonly string[]): Promise<readonly string[]> {
  const restartCounts = "--output=jsonpath={.status.containerStatuses[*].restartCount}";
  const counts = await Promise.all(
    pods.map((pod) => node.kubectl(["get", "pod", pod, `--namespace=${INJECTOR_NAMESPACE}`, "--ignore-not-found", restartCounts])),
  );
  return pods.flatMap((pod, index) => (counts[index] === "0" ? [] : [`${pod} restarted or was replaced`]));
}

interface Storm {
  readonly strikes: readonly number[];
  readonly seconds: number;
}

function plot(samples: Samples, pods: readonly string[], { strikes, seconds }: Storm): void {
  const panel = (measure: MeasureName) => ({ title: measure, series: pods.map((pod) => samples.of(pod, measure)) });
  const panels = [
    panel("RSS, MiB"),
    panel("heap in use, MiB"),
    panel("sockets and files"),
    panel("timers"),
    panel("queue"),
    { title: "the worker's API writes a minute", series: [samples.written] },
  ];
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, "soak.svg"), plotOf(panels, strikes, seconds));
  say(`plot: ${path.relative(process.cwd(), path.join(RESULTS, "soak.svg"))}`);
}
