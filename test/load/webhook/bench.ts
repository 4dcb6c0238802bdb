/**
 * `npm run bench:webhook`: measures CPU per review, memory, latency and start-up of our webhook, a bare handler, plain express and Azure
 * Workload Identity's webhook, all in one run on one machine. Prints figures and ratios, without a verdict.
 *
 *   npm run bench:webhook -- [--against <commit>] [--rounds 7]
 *
 * `--against` compares with the webhook of another commit instead, and fails if a figure became worse.
 */
import path from "node:path";
import { parseArgs } from "node:util";

import { programRefusal } from "../../e2e/support/binaries.ts";
import { buildAt, builtProduct, type ProductBuild } from "../../support/cluster/built-product.ts";
import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { cpuNanoseconds, residentMiB } from "../process-usage.ts";
import { runAgainst } from "./against.ts";
import { type Contestant, prepareCluster, startAzureWorkloadIdentity, startBaseline, startOurs } from "./contestants.ts";
import { createSender, median, percentile, type Sender, sendAll, sendAtRate } from "./load.ts";

import { type ReviewSize, reviewOf, SIZES } from "./reviews.ts";

const ROUNDS = 7;
const CONNECTIONS = 4;
const REQUESTS = { small: 2_000, large: 500 } as const;
const WARM_UP = { small: 6_000, large: 1_500 } as const;
const RATE = { perSecond: 500, seconds: 10 };
const STARTS = 5;

interface Figures {
  readonly name: string;
  /** Microseconds of CPU per review, by size: the median of the rounds. */
  readonly cpu: Readonly<Record<ReviewSize["name"], number>>;
  readonly residentMiB: number;
  readonly p50: number;
  readonly p99: number;
  readonly startMs: number;
}

interface Entrant {
  readonly contestant: Contestant;
  readonly sender: Sender;
}

async function startsOf(plane: ControlPlane, build: ProductBuild): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < STARTS; index += 1) {
    const one = await startOurs(plane, build);
    times.push(one.startMs);
    await one.stop();
  }
  return median(times);
}

async function cpuOf(entrants: readonly Entrant[], size: ReviewSize): Promise<ReadonlyMap<string, number>> {
  const body = reviewOf(size);
  for (const { sender } of entrants) await sendAll(sender, body, { count: WARM_UP[size.name], connections: CONNECTIONS });
  const rounds = new Map<string, number[]>(entrants.map(({ contestant }) => [contestant.name, []]));
  // The contestants take turns, so that other load on the machine affects all of them.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { contestant, sender } of entrants) {
      const before = cpuNanoseconds(contestant.pid);
      await sendAll(sender, body, { count: REQUESTS[size.name], connections: CONNECTIONS });
      rounds.get(contestant.name)?.push((cpuNanoseconds(contestant.pid) - before) / REQUESTS[size.name] / 1_000);
    }
  }
  return new Map([...rounds].map(([name, values]) => [name, median(values)]));
}

async function figuresOf(entrants: readonly Entrant[], starts: ReadonlyMap<string, number>): Promise<readonly Figures[]> {
  const [smallSize, largeSize] = SIZES;
  if (smallSize === undefined || largeSize === undefined) throw new Error("two sizes are measured");
  const small = await cpuOf(entrants, smallSize);
  const large = await cpuOf(entrants, largeSize);
  const figures: Figures[] = [];
  for (const { contestant, sender } of entrants) {
    const { name, pid } = contestant;
    const resident = residentMiB(pid);
    const times = await sendAtRate(sender, reviewOf(smallSize), RATE);
    figures.push({
      name,
      cpu: { small: small.get(name) ?? Number.NaN, large: large.get(name) ?? Number.NaN },
      residentMiB: resident,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      startMs: starts.get(name) ?? contestant.startMs,
    });
  }
  return figures;
}

function print(figures: readonly Figures[]): void {
  for (const size of SIZES) console.log(`review, ${size.name}: ${reviewOf(size).length} bytes`);
  console.log(
    `\n${"".padEnd(24)}${["small µs", "large µs", "MiB", "p50 ms", "p99 ms", "start ms"].map((title) => title.padStart(10)).join("")}`,
  );
  for (const { name, cpu, residentMiB: resident, p50, p99, startMs } of figures) {
    const cells = [cpu.small.toFixed(0), cpu.large.toFixed(0), resident.toFixed(0), p50.toFixed(2), p99.toFixed(2), startMs.toFixed(0)];
    console.log(`${name.padEnd(24)}${cells.map((cell) => cell.padStart(10)).join("")}`);
  }
  const of = (name: string) => figures.find((each) => each.name === name);
  const [bare, express, ours, rival] = [of("bare"), of("express"), of("keyvault-injector"), of("azure-workload-identity")];
  if (bare === undefined || express === undefined || ours === undefined) throw new Error("a contestant is missing");
  const ratio = (one: number, other: number) => `${(one / other).toFixed(2)}x`;
  console.log(`\nours / bare handler: small ${ratio(ours.cpu.small, bare.cpu.small)}, large ${ratio(ours.cpu.large, bare.cpu.large)}`);
  console.log(`ours / plain express: small ${ratio(ours.cpu.small, express.cpu.small)}, large ${ratio(ours.cpu.large, express.cpu.large)}`);
  if (rival === undefined) return;
  const cpu = `small ${ratio(rival.cpu.small, ours.cpu.small)}, large ${ratio(rival.cpu.large, ours.cpu.large)}`;
  console.log(`azure-workload-identity / ours: ${cpu}, p99 at ${RATE.perSecond}/s ${ratio(rival.p99, ours.p99)}`);
}

async function run(): Promise<void> {
  const plane = await startControlPlane({ controllerManager: false });
  const entrants: Entrant[] = [];
  try {
    await prepareCluster(plane);
    const build = await builtProduct(path.join(plane.directory, "image"));
    const ourStart = await startsOf(plane, build);
    const refusal = programRefusal(["azure-workload-identity"]);
    if (refusal !== undefined) console.log(`SKIPPED: azure-workload-identity: ${refusal}`);
    const started = [
      await startBaseline(plane, "bare"),
      await startBaseline(plane, "express"),
      await startOurs(plane, build),
      ...(refusal === undefined ? [await startAzureWorkloadIdentity(plane)] : []),
    ];
    for (const contestant of started) entrants.push({ contestant, sender: createSender(contestant.target, CONNECTIONS) });
    print(await figuresOf(entrants, new Map([["keyvault-injector", ourStart]])));
  } finally {
    for (const { contestant, sender } of entrants) {
      await sender.close();
      await contestant.stop();
    }
    await plane.stop();
  }
}

async function compareWith(revision: string, rounds: number): Promise<void> {
  const before = buildAt(revision);
  const plane = await startControlPlane({ controllerManager: false });
  try {
    await prepareCluster(plane);
    const now = await builtProduct(path.join(plane.directory, "image"));
    if (!(await runAgainst(plane, { now, before, rounds }))) process.exitCode = 1;
  } finally {
    await plane.stop();
  }
}

const { values } = parseArgs({ options: { against: { type: "string" }, rounds: { type: "string", default: "7" } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: write a whole number above 0`);
await (values.against === undefined ? run() : compareWith(values.against, rounds));
