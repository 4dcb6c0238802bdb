/**
 * `npm run test:hostile`: harm that tenants, peers on the network, vaults, token services and other webhooks can do to a user of the
 * product. First runs one attack of each kind on the previous version, in which it must hurt the victim, then all attacks on this version.
 *
 * node test/hostile/main.ts [--only control|attacks] [part of an attack's name ...]
 *
 * Needs KUBEBUILDER_ASSETS. Exits with code 1 if an attack hurt a victim, or if a control hurt none.
 */
import { parseArgs } from "node:util";
import { builtCommit } from "../support/cluster/built-commit.ts";
import { compileProgram } from "../support/cluster/built-product.ts";
import type { Attack } from "./attack.ts";
import { apiServerAttacks } from "./attacks/api-server.ts";
import { peerAttacks } from "./attacks/peers.ts";
import { signInAttacks } from "./attacks/sign-ins.ts";
import { tenantAttacks } from "./attacks/tenants.ts";
import { vaultAttacks } from "./attacks/vaults.ts";
import { type Result, runAttack } from "./run-attack.ts";
import { type Attacked, startHostileWorld } from "./world.ts";

const LEAST = 25;

/** The reviewed version, in which the attacks hurt victims. */
const BEFORE = "b5c379591fc61cdb7547fb5cce3b6b7b101662fc";

/** Each lane has its own world, in which the attacks run one after the other. */
const LANES: readonly (readonly Attack[])[] = [[...peerAttacks, ...signInAttacks], vaultAttacks, [...tenantAttacks, ...apiServerAttacks]];

const { positionals: wanted, values } = parseArgs({ allowPositionals: true, options: { only: { type: "string" } } });
const isWanted = ({ name }: Attack): boolean => wanted.length === 0 || wanted.some((part) => name.includes(part));

async function runLane(attacks: readonly Attack[], attacked: Attacked, label: string): Promise<readonly Result[]> {
  const results: Result[] = [];
  let world = await startHostileWorld(attacked);
  try {
    for (const attack of attacks) {
      const result = await runAttack(world, attack);
      report(label, result);
      results.push(result);
      // A world may stay damaged for long, so that the next attack gets a new one.
      if (result.service === undefined || result.service.hurts.length > 0) {
        await world.stop();
        world = await startHostileWorld(attacked);
      }
    }
    return results;
  } finally {
    await world.stop();
  }
}

function report(label: string, { attack, evidence, service, problem }: Result): void {
  console.log(`${label}: ${attack.name} | ${evidence ?? problem ?? "no sign of it"}`);
  if (service === undefined) return;
  const { rotations, slowestRotationMs, admissions, slowestAdmissionMs, hurts } = service;
  console.log(
    `  ${rotations} rotations, slowest ${(slowestRotationMs / 1_000).toFixed(1)} s; ${admissions} pods, slowest ${slowestAdmissionMs.toFixed(0)} ms`,
  );
  for (const hurt of hurts) console.log(`  HURT: ${hurt}`);
}

function beforeTheMends(): Attacked {
  const { image, manifests } = builtCommit(BEFORE);
  return { main: `${image}/dist/main.js`, manifests };
}

async function runAll(lanes: readonly (readonly Attack[])[], attacked: Attacked, label: string): Promise<readonly Result[]> {
  const chosen = lanes.map((attacks) => attacks.filter(isWanted)).filter((attacks) => attacks.length > 0);
  return (await Promise.all(chosen.map((attacks) => runLane(attacks, attacked, label)))).flat();
}

await compileProgram();
const started = performance.now();
const controlled = LANES.map((attacks) => attacks.filter(({ isControl }) => isControl === true));
const controls = values.only === "attacks" ? [] : await runAll(controlled, beforeTheMends(), "control");
const seen = controls.filter(({ service }) => (service?.hurts.length ?? 0) > 0).length;
console.log(`control: ${seen} of ${controls.length} victims hurt`);
const results = values.only === "control" ? [] : await runAll(LANES, {}, "attack");
const unharmed = results.filter(({ service, evidence }) => evidence !== undefined && service?.hurts.length === 0).length;
const kinds = new Set(results.map(({ attack }) => attack.kind)).size;
console.log(`hostile: ${kinds} kinds in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
console.log(`${unharmed} passed, ${results.length - unharmed} failed`);
console.log(`${results.length} attacks, ${results.length - unharmed} victims hurt`);
const isWhole = wanted.length === 0 && values.only !== "control";
process.exitCode = unharmed < results.length || seen < controls.length || (isWhole && results.length < LEAST) ? 1 : 0;
