import assert from "node:assert/strict";
import { INJECTOR_NAMESPACE, injectorReady } from "../../e2e/support/install.ts";
import type { Scenarios } from "../../e2e/support/scenarios.ts";
import { listAt, type Manifest } from "../../support/cluster/shipped-manifests.ts";
import { componentId, type DamagedCluster, manifestOf, readTarget, type Target } from "../../support/component-damage/cluster.ts";
import { RIGHTS_DAMAGES } from "../../support/component-damage/rights.ts";
import {
  assertNothingToApply,
  brokenIn,
  countsOf,
  type DamageResult,
  hasDeletion,
  packed,
  reportedAfter,
  runRound,
  summaryOf,
} from "../../support/component-damage/run.ts";
import { type Damage, damageRounds } from "../../support/component-damage/table.ts";
import { eventually } from "../../support/time/eventually.ts";
import { componentReports } from "../support/component-reports.ts";
import type { InstallWorld } from "../support/install-world.ts";
import type { Kustomize } from "../ways/kustomize.ts";

const ROUNDS = damageRounds(INJECTOR_NAMESPACE);
const DAMAGES = ROUNDS.flat();
/** In milliseconds. With healing off, the test waits the whole time, in which the worker would have healed the damage. */
const CONTROL = { deletion: 13_000, edit: 4_000 } as const;
/** Time limit for one damage, because the worker's own pods are among the damaged objects. The run prints the actual times. */
const HEALED_WITHIN_MS = 60_000;
/** In milliseconds: time limit for the end of a report, and interval between two checks. */
const REPORTED = { ended: 30_000, every: 250 };

/** Damage to a running install, and its repair. */
export function damageScenarios(scenario: Scenarios, world: () => InstallWorld, way: () => Kustomize): void {
  const clusterNow = async (): Promise<DamagedCluster> => damagedCluster(world(), await way().manifests());

  scenario.run("with healing off, everything that is damaged stays broken", async () => {
    const counts = countsOf(DAMAGES);
    console.log(`damage: ${counts.kinds} kinds, ${counts.operations} operations, ${counts.resources} kinds of resource`);
    assert.ok(counts.kinds >= 30 && counts.operations >= 12 && counts.resources >= 8);

    await way().setHealing(false);
    const cluster = await clusterNow();
    const results: DamageResult[] = [];
    for (const round of packed(DAMAGES)) {
      const within = hasDeletion(round) ? CONTROL.deletion : CONTROL.edit;
      results.push(...(await runRound(cluster, round, { within, every: 1_000 })));
      await repaired(cluster, round);
    }
    const broken = brokenIn(results).length;
    console.log(`control: ${broken} of ${results.length} stayed broken`);
    assert.equal(broken, results.length);
  });

  scenario.run("with healing on, all of it is as the installer left it, whose next apply changes nothing", async () => {
    await way().setHealing(true);
    const cluster = await clusterNow();
    await copiesAreThere(world(), cluster);
    const results: DamageResult[] = [];
    for (const round of ROUNDS) {
      const done = await runRound(cluster, round, { within: HEALED_WITHIN_MS, every: 250 });
      results.push(...done);
      console.log(
        `healing: ${summaryOf(done)}: ${round.map(({ operation, target }) => `${operation.operation} ${target.name}`).join(", ")}`,
      );
      assert.deepEqual(brokenIn(done), []);
      await injectorReady(world().node);
      await assertNothingToApply(cluster, round);
    }
    console.log(summaryOf(results));
  });

  scenario.run("damage to rights, policies and the Namespace is reported within 10 s, and left to people", async () => {
    const cluster = await clusterNow();
    const reports = componentReports(world());
    const times: number[] = [];
    for (const damage of RIGHTS_DAMAGES) times.push(await reportedAfter(cluster, damage, { ...REPORTED, reports }));
    console.log(`rights: ${times.length}/${RIGHTS_DAMAGES.length} reported, max ${Math.max(...times).toFixed(0)} ms, 0 healed`);
  });
}

/** Applies client-side, as the product was installed. */
function damagedCluster({ node, access }: InstallWorld, manifests: readonly Manifest[]): DamagedCluster {
  const apply = async (items: readonly Manifest[]): Promise<void> => {
    if (items.length > 0) await node.kubectl(["apply", "-f", "-"], listOf(items));
  };
  const renew = async (items: readonly Manifest[]): Promise<void> => {
    if (items.length > 0) await node.kubectl(["delete", "--ignore-not-found", "-f", "-", "--timeout=60s"], listOf(items));
    await apply(items);
  };
  return { kubectl: (args, input) => node.kubectl(args, input), kube: access.client, manifests, apply, reinstall: apply, renew };
}

function listOf(items: readonly Manifest[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** Repairs as users do without healing: waits until deleted objects are gone, and reapplies them. */
async function repaired(cluster: DamagedCluster, round: readonly Damage[]): Promise<void> {
  const isGoing = async ({ target }: Damage): Promise<boolean> =>
    (await readTarget(cluster, target))?.metadata.deletionTimestamp !== undefined;
  await eventually(async () => !(await Promise.all(round.map(isGoing))).includes(true), {
    within: 60_000,
    what: "the end of what was deleted",
  });
  const manifests = round.map(({ target }) => manifestOf(cluster, target));
  // The deletion of a CRD would delete its classes.
  const isDefinition = ({ kind }: Manifest): boolean => kind === "CustomResourceDefinition";
  await cluster.reinstall(manifests.filter(isDefinition));
  await cluster.renew(manifests.filter((manifest) => !isDefinition(manifest)));
  await cluster.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
}

async function copiesAreThere({ node }: InstallWorld, cluster: DamagedCluster): Promise<void> {
  const targets: readonly Target[] = DAMAGES.map(({ target }) => target);
  const wanted = new Set(targets.map(componentId));
  await eventually(
    async () => {
      const list = ["get", "controllerrevisions", "-n", INJECTOR_NAMESPACE, "-l", "keyvault-injector.dev/snapshot=component", "-o", "json"];
      const copies = listAt(JSON.parse(await node.kubectl(list)), "items").map((item) => JSON.stringify(item));
      return [...wanted].every((id) => copies.some((copy) => copy.includes(JSON.stringify(id))));
    },
    { within: 60_000, every: 500, what: `a copy of each of ${wanted.size} components of ${cluster.manifests.length} objects` },
  );
}
