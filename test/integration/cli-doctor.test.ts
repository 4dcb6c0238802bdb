import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { CHECKS, type CheckResult } from "../../src/cli/doctor/checks/check.ts";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import type { CommandResult } from "../../src/cli/shared/command.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { runCli, runOnline } from "../support/cli/cli.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { classDamages } from "./doctor-damage/classes.ts";
import { componentDamages } from "./doctor-damage/components.ts";
import { crdDamages } from "./doctor-damage/crds.ts";
import type { Damage } from "./doctor-damage/damage.ts";
import { InstallEdits } from "./doctor-damage/install-edits.ts";
import { nodeDamages } from "./doctor-damage/nodes.ts";
import { policyDamages } from "./doctor-damage/policies.ts";
import { tokenDamages } from "./doctor-damage/tokens.ts";
import { webhookDamages } from "./doctor-damage/webhook.ts";
import { workerDamages } from "./doctor-damage/worker.ts";

const refusal = controlPlaneRefusal();
const PROBE = "probes";

let plane: ControlPlane;
/** The report on the cluster before the install. */
let bare: Doctored;
let bareText: CommandResult;
let product: Product;
let worker: ProductProcess;
let webhook: ProductProcess;
let install: InstallEdits;

interface Doctored {
  readonly code: number;
  readonly results: readonly CheckResult[];
  readonly report: InstallReport;
}

async function doctor(): Promise<Doctored> {
  const { code, output, notes } = await runOnline(["doctor", "-o", "json", "--no-vaults", "-n", PROBE], plane.kubeconfigPath);
  assert.deepEqual(notes, []);
  const report: InstallReport = JSON.parse(output);
  return { code, results: report.findings, report };
}

/**
 * Checks without a planted damage: without an API server there are no findings, and other tests cover the time before the install and an
 * install without the webhook.
 */
const UNPLANTED: readonly string[] = ["api", "install", "injection"];

/** Damages to plant while the processes are stopped, so that nothing repairs or publishes anything while doctor runs. */
function damagesOf(edits: InstallEdits): readonly Damage[] {
  return [crdDamages, webhookDamages, componentDamages, tokenDamages, policyDamages, workerDamages, nodeDamages, classDamages].flatMap(
    (damages) => damages(edits),
  );
}

/** Component healing is off: this suite gives the Deployments replicas that no installer gave them. */
const HELD = { args: ["--heal=crds,classes"] };

describe("doctor", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    await aNamespace(plane, PROBE);
    bare = await doctor();
    bareText = await runOnline(["doctor", "--no-vaults"], plane.kubeconfigPath);
    product = await installProduct(plane);
    [webhook, worker] = await Promise.all([product.start("webhook"), product.start("sync", HELD)]);
    install = new InstallEdits(plane, PROBE);
    await install.addNodeSide();
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  test("D3: says in one finding that nothing is installed, and what to type, and judges nothing that depends on it", () => {
    const { code, results } = bare;

    assert.equal(code, 1);
    assert.deepEqual(
      results.map(({ check, state }) => `${check} ${state}`),
      ["api OK", "install FAIL"],
    );
    const [command = ""] = /^helm install .* --create-namespace/.exec(results[1]?.fix ?? "") ?? [];
    assert.ok(command !== "" && readRepositoryFile("docs/how-to/install.md").includes(command), results[1]?.fix);
    assert.match(bareText.output, /\n1 OK, 0 WARN, 1 FAIL, 0 SKIP\n$/);
  });

  test("finds nothing wrong with a whole install, by every check, and ends with 0", async () => {
    const { code, results } = await eventually(async () => {
      const found = await doctor();
      return found.results.every(({ state }) => state === "OK")
        ? found
        : assert.fail(JSON.stringify(found.results.filter(({ state }) => state !== "OK")));
    });

    assert.equal(code, 0);
    assert.deepEqual([...new Set(results.map(({ check }) => check))], CHECKS);
  });

  test("holds in its JSON what the install consists of and is set to", async () => {
    const { report } = await doctor();

    const { report: name, format, version } = Object(report);
    assert.deepEqual([name, format, version, report.namespace], ["install", 1, "9.9.9", "keyvault-injector"]);
    assert.deepEqual(report.components.map(({ component, wanted, ready }) => `${component} ${ready}/${wanted}`).sort(), [
      "driver 1/1",
      "provider 1/1",
      "sync 2/2",
      "webhook 2/2",
    ]);
    assert.equal(report.settings.sync["rotation-poll-interval"], "2m");
    assert.deepEqual(Object.keys(report.settings.sync), Object.keys(SETTINGS));
    assert.deepEqual([...new Set(report.crds.map(({ state }) => state))], ["whole"]);
    assert.equal(report.crds.length, 3);
    assert.deepEqual(
      report.policies.filter(({ isPresent, actions }) => !isPresent || actions.length === 0),
      [],
    );
    assert.deepEqual([report.classes, report.walks, report.unseen], [[], [], []]);
  });

  test("says so in a process of its own as well", async () => {
    const { code, stdout, stderr } = await runCli(["doctor", "-n", PROBE], { kubeconfig: plane.kubeconfigPath });

    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /\n\d+ OK, 0 WARN, 0 FAIL, 0 SKIP\n$/);
  });

  test("sees that the webhook is gone, by the API server's own eyes, and that the worker gave the lease up", async () => {
    await Promise.all([webhook.stop(), worker.stop()]);

    const { code, results } = await doctor();

    assert.equal(code, 1);
    assert.deepEqual(
      results.filter(({ state }) => state === "FAIL").map(({ check, message }) => `${check}: ${message}`),
      ["injection: the API server gets no answer from the webhook", "lease: no worker holds the lease: nothing is synced"],
    );
    await install.freshLease();
  });

  test("finds each damage by its own check, says what to do, and nothing after the repair", async (context) => {
    const damages = damagesOf(install);
    let found = 0;
    const others = async (): Promise<readonly string[]> =>
      (await doctor()).results
        .filter(({ state, check }) => state !== "OK" && check !== "injection")
        .map(({ check, message }) => `${check}: ${message}`);
    for (const { what, check, state, message, damage, repair } of damages) {
      await damage();
      // The API server enforces a policy in its old form for a moment after a change.
      await eventually(async () => {
        const { results } = await doctor();
        const hit = results.find((result) => result.check === check && result.state === state && message.test(result.message));
        assert.ok(hit !== undefined && (hit.fix ?? "") !== "", `${what}: ${JSON.stringify(results.filter((each) => each.state !== "OK"))}`);
        return true;
      });
      found += 1;
      await repair();
      await eventually(async () => {
        const left = await others();
        return left.length === 0 ? true : assert.fail(`after the repair of ${what}: ${left.join("; ")}`);
      });
    }
    context.diagnostic(`${found}/${damages.length} damages found`);
    const unchecked = CHECKS.filter((check) => !UNPLANTED.includes(check) && !damages.some((damage) => damage.check === check));
    assert.deepEqual(unchecked, []);
  });

  test("ends with 2 where there is no API server", async () => {
    const kubeconfig = path.join(plane.directory, "nowhere.json");
    writeFileSync(kubeconfig, readFileSync(plane.kubeconfigPath, "utf8").replace(/https:\/\/[^\s"]+/, "https://127.0.0.1:1"));

    const { code, stdout, stderr } = await runCli(["doctor"], { kubeconfig });

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(
      stderr,
      /^keyvault-injector doctor: no answer from the API server https:\/\/127\.0\.0\.1:1 of context \S+ \(connection refused\); check the kubeconfig's server, or the network\n$/,
    );
  });
});
