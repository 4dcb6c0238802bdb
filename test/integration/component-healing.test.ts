import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { runOnline } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { ADDED_TO_REPORTED, addedRounds } from "../support/component-damage/added.ts";
import { componentId, manifestOf, readTarget, type Target, versionOf } from "../support/component-damage/cluster.ts";
import { type ComponentWorld, installComponents } from "../support/component-damage/component-world.ts";
import { RIGHTS_DAMAGES } from "../support/component-damage/rights.ts";
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
} from "../support/component-damage/run.ts";
import { CLASSES, damageRounds } from "../support/component-damage/table.ts";
import { eventually } from "../support/time/eventually.ts";
import { writesOf } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAMESPACE = "keyvault-injector";
const ROUNDS = damageRounds(NAMESPACE);
const ADDED_ROUNDS = addedRounds(NAMESPACE);
const DAMAGES = [...ROUNDS, ...ADDED_ROUNDS].flat();
/** Milliseconds: the end of a report, and between two looks. */
const REPORTED = { ended: 20_000, every: 50 };
const HEALING = ["--heal=crds,classes,components"];
const SERVICE: Target = { resource: RESOURCES.services, namespace: NAMESPACE, name: "keyvault-injector-webhook" };
const WEBHOOK: Target = { resource: WORKLOADS.Deployment, namespace: NAMESPACE, name: "keyvault-injector-webhook" };

describe("component healing", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let world: ComponentWorld;
  before(async () => {
    world = await installComponents();
  });
  after(async () => {
    await world?.stop();
  });

  test("knows at least 30 kinds of damage, by at least 12 operations on at least 8 kinds of resource", () => {
    const counts = countsOf(DAMAGES);
    console.log(`damage: ${counts.kinds} kinds, ${counts.operations} operations, ${counts.resources} kinds of resource`);
    assert.ok(counts.kinds >= 30 && counts.operations >= 12 && counts.resources >= 8);
  });

  test("is what brings damage back: with it off, all of it stays", async () => {
    await world.worker(["--heal="]);
    const results: DamageResult[] = [];
    for (const round of packed(DAMAGES)) {
      const within = hasDeletion(round) ? 12_000 : 2_000;
      results.push(...(await runRound(world.cluster, round, { within, every: 2_000 })));
      await world.cluster.renew(round.map(({ target }) => manifestOf(world.cluster, target)));
    }
    const broken = brokenIn(results).length;
    console.log(`control: ${broken} of ${results.length} stayed broken`);
    assert.equal(broken, results.length);
  });

  test("brings back what was damaged, so that the installer's next apply changes nothing", async () => {
    await world.worker(HEALING);
    await world.copiesAreThere();
    const results: DamageResult[] = [];
    for (const round of ROUNDS) {
      const done = await runRound(world.cluster, round, { within: 25_000 });
      results.push(...done);
      const broken = brokenIn(done);
      assert.deepEqual(broken, [], world.log().slice(-6_000));
      await assertNothingToApply(world.cluster, round);
    }
    console.log(`component healing: ${summaryOf(results)}`);
  });

  test("U7: takes out what was added beside the installer's fields, where it decides what the component does", async () => {
    await world.worker(HEALING);
    await world.copiesAreThere();
    const results: DamageResult[] = [];
    for (const round of ADDED_ROUNDS) {
      results.push(...(await runRound(world.cluster, round, { within: 10_000 })));
      await assertNothingToApply(world.cluster, round);
    }
    assert.deepEqual(brokenIn(results), [], world.log().slice(-6_000));
    console.log(`added: ${summaryOf(results)}`);
  });

  test("U7: stands in doctor where nothing heals it", async () => {
    await world.worker(HEALING);
    await world.copiesAreThere();
    await world.worker(["--heal=crds,classes"]);
    const round = ADDED_ROUNDS[0] ?? [];
    for (const { target, operation } of round) await operation.inflict(world.cluster, target);
    const { output } = await runOnline(["doctor", "-o", "json", "--no-vaults"], world.plane.kubeconfigPath);
    const { findings }: InstallReport = JSON.parse(output);
    const named = findings.filter(({ state }) => state === "WARN").map(({ message }) => message);

    const missing = round
      .map(({ target }) => componentId(target))
      .filter((id) => !named.some((message) => message.startsWith(`${id} was edited: `)));
    assert.deepEqual(missing, []);
    assert.ok(
      findings.some(({ check, message }) => check === "webhook" && message.includes("its objectSelector")),
      "and the webhook's own check names the field",
    );
    await world.worker(HEALING);
    await eventually(async () => (await Promise.all(round.map(({ target }) => world.isReported(target)))).every((is) => !is));
  });

  test("U7: reports what was added to policies, roles and definitions", async () => {
    await world.worker(HEALING);
    await world.copiesAreThere();
    const unreported: string[] = [];
    for (const { target, operation, undo } of ADDED_TO_REPORTED) {
      await operation.inflict(world.cluster, target);
      const wasReported = await eventually(() => world.isReported(target), { within: 10_000 }).catch(() => false);
      if (!wasReported) unreported.push(componentId(target));
      await undo.inflict(world.cluster, target);
      await eventually(async () => !(await world.isReported(target)), { what: `the end of the report of ${target.name}` });
    }
    assert.deepEqual(unreported, []);
  });

  test("reports damage to rights, policies and the Namespace within 10 s, and leaves it to people", async () => {
    const times: number[] = [];
    for (const damage of RIGHTS_DAMAGES) times.push(await reportedAfter(world.cluster, damage, { ...REPORTED, reports: world }));
    console.log(`rights: ${times.length}/${RIGHTS_DAMAGES.length} reported, max ${Math.max(...times).toFixed(0)} ms, 0 healed`);
  });

  test("leaves what the installer did not set, and takes over what an installer changes", async () => {
    await world.plane.kubectl(["rollout", "restart", "deployment", WEBHOOK.name, "-n", NAMESPACE]);
    await world.plane.kubectl(["label", "service", SERVICE.name, "-n", NAMESPACE, "somebody.example/mark=yes"]);
    const changed = manifestOf(world.cluster, WEBHOOK);
    const spec = { ...(changed["spec"] as object), replicas: 3 };
    await world.cluster.apply([{ ...changed, spec }]);
    await eventually(async () => (await readTarget(world.cluster, WEBHOOK))?.metadata.managedFields?.length !== 0);
    await world.plane.kubectl(["scale", "deployment", WEBHOOK.name, "-n", NAMESPACE, "--replicas=1"]);

    await eventually(async () => (await replicasOf(world)) === "3", { what: "the installer's new wish" });

    const labels = await world.plane.kubectl(["get", "service", SERVICE.name, "-n", NAMESPACE, "-o", "jsonpath={.metadata.labels}"]);
    const notes = await world.plane.kubectl([
      "get",
      "deployment",
      WEBHOOK.name,
      "-n",
      NAMESPACE,
      "-o",
      "jsonpath={.spec.template.metadata.annotations}",
    ]);
    assert.match(labels, /somebody\.example\/mark/);
    assert.match(notes, /kubectl\.kubernetes\.io\/restartedAt/);
    await world.cluster.apply([changed]);
  });

  test("believes no copy that it did not write", async () => {
    await world.plant("Service", SERVICE, { metadata: { labels: { evil: "yes" } } });
    await world.plane.kubectl(["delete", "service", SERVICE.name, "-n", NAMESPACE]);

    const again = await eventually(async () => readTarget(world.cluster, SERVICE), { within: 20_000, what: "the Service" });

    assert.equal(again.metadata.labels?.["evil"], undefined);
    assert.match(world.log(), /a copy of a component was not written by this install and is ignored/);
  });

  test("backs off from a fight, and says so", async () => {
    await eventually(
      async () => {
        await world.plane.kubectl(["scale", "deployment", WEBHOOK.name, "-n", NAMESPACE, "--replicas=9"]);
        return world.log().includes('"reason":"Contested"');
      },
      { within: 30_000, every: 500, what: "the word of a fight" },
    );
    await eventually(async () => (await replicasOf(world)) === "2", { within: 30_000, what: "the repair after the pause" });
  });

  test("adopts the definitions of an existing driver under whoever installs them, without a conflict afterwards", async () => {
    const definition = manifestOf(world.cluster, CLASSES);
    const asHelm = ["apply", "--server-side", "--field-manager=helm", "-f", "-"];
    await world.plane.kubectl([...asHelm, "--force-conflicts"], JSON.stringify(definition));
    await eventually(() => world.hasCopyBy(CLASSES, "helm"), { what: "a copy of Helm's definition" });
    await world.plane.kubectl(["delete", "crd", CLASSES.name]);
    await eventually(async () => (await readTarget(world.cluster, CLASSES)) !== undefined, { what: "the definition" });
    const before = await eventually(async () => {
      const live = await readTarget(world.cluster, CLASSES);
      const isHanded = live?.metadata.managedFields?.some(({ manager, operation }) => manager === "helm" && operation === "Apply") ?? false;
      return isHanded && live !== undefined && versionOf(live);
    });

    await world.plane.kubectl(asHelm, JSON.stringify(definition));

    const after = await readTarget(world.cluster, CLASSES);
    assert.ok(after !== undefined);
    assert.equal(versionOf(after), before);
  });

  test("writes nothing at rest", async () => {
    await eventually(
      async () => {
        const before = writesOf(world.plane.audit()).length;
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        return writesOf(world.plane.audit()).length === before;
      },
      { within: 30_000, what: "five seconds without a write" },
    );
  });
});

function replicasOf(world: ComponentWorld): Promise<string> {
  return world.plane.kubectl(["get", "deployment", WEBHOOK.name, "-n", NAMESPACE, "-o", "jsonpath={.spec.replicas}"]);
}
