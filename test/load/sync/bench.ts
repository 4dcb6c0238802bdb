/**
 * `npm run bench:sync`: measures the worker's load on vaults, API server and machine at 100, 1,000 and 10,000 Secrets, and the same for
 * External Secrets Operator on the same emulator and the same Secrets. Prints figures, ratios and which targets are met. A missed target is
 * not an error.
 *
 *   npm run bench:sync -- [--sizes 100,1000,10000] [--interval 30] [--polls 10] [--without-eso] [--eso default,tuned]
 *                         [--patience 600] [--keep <folder>] [--against <commit>] [--rounds 3] [--shards 1]
 *
 * `--interval` is the poll interval, and the operator's refresh interval, in seconds. `--patience` is the longest wait for one thing.
 * `--shards` runs this many leaders. The report contains the memory of all together and of the largest. `--keep` stores a CPU profile of
 * each of our processes there, and every program's output.
 * `--against` compares with the worker of another commit instead, at the first of the sizes, and fails if a figure became worse.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { spawnEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import { programRefusal } from "../../e2e/support/binaries.ts";
import { buildAt, builtProduct, type ProductBuild } from "../../support/cluster/built-product.ts";
import { runAgainst } from "./against.ts";
import type { SyncContestant } from "./contestant.ts";
import { runCourse } from "./course.ts";
import { externalSecrets } from "./external-secrets.ts";
import type { Figures } from "./figures.ts";
import { keyvaultInjector } from "./keyvault-injector.ts";
import { compared, describe, growth, summary } from "./report.ts";
import { setStage } from "./stage.ts";
import { describeTarget, targets } from "./targets.ts";
import { meterVaults, type VaultMeter } from "./vault-meter.ts";
import { type BenchVaults, createVaults } from "./vaults.ts";

const ESO_POLLS = 2;

interface Settings {
  readonly sizes: readonly number[];
  readonly intervalSeconds: number;
  readonly polls: number;
  readonly patienceMs: number;
  readonly operators: readonly ("default" | "tuned")[];
  readonly keep: string | undefined;
  readonly against: string | undefined;
  readonly rounds: number;
  readonly shards: number;
}

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      sizes: { type: "string", default: "100,1000,10000" },
      interval: { type: "string", default: "30" },
      polls: { type: "string", default: "10" },
      patience: { type: "string", default: "600" },
      "without-eso": { type: "boolean", default: false },
      eso: { type: "string", default: "tuned,default" },
      keep: { type: "string" },
      against: { type: "string" },
      rounds: { type: "string", default: "3" },
      shards: { type: "string", default: "1" },
    },
  });
  const operators = values.eso.split(",").map((name) => {
    if (name !== "default" && name !== "tuned") throw new Error(`--eso ${name}: choose from default, tuned`);
    return name;
  });
  return {
    sizes: values.sizes
      .split(",")
      .map((text) => wholeNumber("sizes", text))
      .sort((a, b) => a - b),
    intervalSeconds: wholeNumber("interval", values.interval),
    polls: wholeNumber("polls", values.polls),
    patienceMs: wholeNumber("patience", values.patience) * 1_000,
    operators: values["without-eso"] ? [] : operators,
    keep: values.keep === undefined ? undefined : path.resolve(values.keep),
    against: values.against,
    rounds: wholeNumber("rounds", values.rounds),
    shards: wholeNumber("shards", values.shards),
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text}: write a whole number above 0`);
  return value;
}

interface Entrant {
  readonly contestant: SyncContestant;
  readonly isOurs: boolean;
}

function entrantsOf({ operators, keep, shards }: Settings, build: ProductBuild): readonly Entrant[] {
  const ours: Entrant = { contestant: keyvaultInjector({ build, profiles: keep, shards }), isOurs: true };
  const refusal = operators.length === 0 ? undefined : programRefusal(["external-secrets"]);
  if (refusal !== undefined) console.log(`SKIPPED: External Secrets Operator: ${refusal}`);
  const others = refusal === undefined ? operators : [];
  return [ours, ...others.map((setting) => ({ contestant: externalSecrets(setting), isOurs: false }))];
}

interface Ground {
  readonly settings: Settings;
  readonly vaults: BenchVaults;
  readonly meter: VaultMeter;
}

async function measure({ settings, vaults, meter }: Ground, { contestant, isOurs }: Entrant, size: number): Promise<Figures> {
  const { intervalSeconds, patienceMs, keep } = settings;
  const objects = await vaults.grow(size);
  const onEnd = (folder: string): void => {
    if (keep === undefined) return;
    for (const log of readdirSync(folder).filter((name) => name.endsWith(".log") && name !== "audit.log"))
      cpSync(path.join(folder, log), path.join(keep, `${contestant.name.replaceAll(/\W+/g, "-")}-${size}-${log}`));
  };
  const stage = await setStage({ contestant, vaults, objects: [...objects], meter, intervalSeconds, onEnd });
  try {
    const figures = await runCourse(stage, { polls: isOurs ? settings.polls : ESO_POLLS, hasPhases: isOurs, patienceMs });
    console.log(`\n${describe(figures)}`);
    return figures;
  } finally {
    await stage.stop();
  }
}

function conclude({ settings, vaults }: Ground, all: readonly (Figures & { readonly isOurs: boolean })[]): void {
  const ours = all.filter(({ isOurs }) => isOurs);
  const names = settings.sizes.length < 2 ? [] : new Set(all.map(({ contestant }) => contestant));
  for (const name of names) console.log(`\n${growth(all.filter(({ contestant }) => contestant === name))}`);
  for (const figures of ours) {
    const others = all.filter(({ isOurs, size }) => !isOurs && size === figures.size);
    console.log("");
    for (const other of others) console.log(compared(figures, other));
    const tuned = others.find(({ contestant }) => contestant.endsWith("tuned"));
    console.log(`at ${figures.size} Secrets:`);
    for (const target of targets({ ours: figures, tuned, intervalSeconds: settings.intervalSeconds, vaults: vaults.vaults.length }))
      console.log(describeTarget(target));
    console.log(summary(figures, tuned ?? others[0]));
  }
}

async function compareWith(ground: Ground, now: ProductBuild, before: ProductBuild): Promise<void> {
  const { keep, rounds, sizes } = ground.settings;
  const size = sizes[0] ?? 0;
  const course = (build: ProductBuild): Promise<Figures> =>
    measure(ground, { contestant: keyvaultInjector({ build, profiles: keep }), isOurs: true }, size);
  if (!(await runAgainst({ course, now, before, rounds }))) process.exitCode = 1;
}

async function run(): Promise<void> {
  const settings = readSettings();
  if (settings.keep !== undefined) mkdirSync(settings.keep, { recursive: true });
  const folder = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "bench-sync-"));
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}; poll interval ${settings.intervalSeconds} s`);
  const emulator = await spawnEmulator(path.join(folder, "emulator"));
  const meter = meterVaults(emulator);
  try {
    const vaults = await createVaults(emulator);
    const ground = { settings, vaults, meter };
    const now = await builtProduct(path.join(folder, "image"));
    if (settings.against !== undefined) {
      await compareWith(ground, now, buildAt(settings.against));
      return;
    }
    const entrants = entrantsOf(settings, now);
    const all: (Figures & { readonly isOurs: boolean })[] = [];
    for (const size of settings.sizes) {
      for (const entrant of entrants) all.push({ ...(await measure(ground, entrant, size)), isOurs: entrant.isOurs });
    }
    conclude(ground, all);
  } finally {
    await meter.stop();
    await emulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await run();
