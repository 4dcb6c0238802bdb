import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CheckResult, DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkDeployments } from "../../src/cli/doctor/checks/install.ts";
import { firstToDo } from "../../src/cli/doctor/command.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { holding } from "../support/worker/held-objects.ts";

const NAMESPACE = "keyvault-injector";

describe("NC10: doctor's look at the deployments", () => {
  const foundWith = async (replicas: number, readyReplicas: number): Promise<readonly string[]> => {
    const deployment = (name: string): Manifest => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace: NAMESPACE, name },
      spec: { replicas, template: { spec: { containers: [] } } },
      status: { readyReplicas },
    });
    const viewer = holding(["keyvault-injector-webhook", "keyvault-injector-sync"].map(deployment));
    const results = await checkDeployments({ viewer, namespace: NAMESPACE } as unknown as DoctorContext); // What this check takes.
    return results.map(({ state, message, fix = "" }) => `${state} ${message} -> ${fix}`);
  };

  test("says that one is scaled to zero, and how its replicas come back", async () => {
    const [webhook, sync] = await foundWith(0, 0);

    assert.equal(
      webhook,
      `FAIL keyvault-injector-webhook is scaled to zero replicas -> restore the replicas: kubectl scale deployment keyvault-injector-webhook -n ${NAMESPACE} --replicas=2`,
    );
    assert.match(sync ?? "", /^FAIL keyvault-injector-sync is scaled to zero replicas -> .* -n \S+ --replicas=2$/);
  });

  test("names the namespace in every command", async () => {
    for (const reported of [...(await foundWith(2, 0)), ...(await foundWith(2, 1))]) {
      assert.match(reported, /^(FAIL|WARN) .*: [01] of 2 replicas are ready -> /);
      assert.match(reported, new RegExp(`kubectl describe pods -n ${NAMESPACE} -l app\\.kubernetes\\.io/component=(webhook|sync)`));
      assert.equal(reported.match(/kubectl/g)?.length, reported.match(/ -n /g)?.length, reported);
    }
  });
});

describe("N22: what doctor says to do first", () => {
  const finding = (check: CheckResult["check"], state: CheckResult["state"]): CheckResult => ({
    check,
    state,
    message: "m",
    fix: `mend ${check}`,
  });

  test("is the cause of what fails, else the first failure, and nothing where one thing alone fails", () => {
    const failing = [finding("webhook", "FAIL"), finding("lease", "FAIL")];

    assert.equal(firstToDo([...failing, finding("deployments", "FAIL")]), "to do first: deployments: m -> mend deployments");
    assert.equal(firstToDo([...failing, finding("nodes", "WARN")]), "to do first: webhook: m -> mend webhook");
    assert.equal(firstToDo([finding("lease", "FAIL"), finding("nodes", "WARN")]), undefined);
  });

  test("NC10: is a failure where there is one, and not a warning", () => {
    const [deployments, driver, provider] = (["deployments", "driver", "provider"] as const).map((check) => finding(check, "FAIL"));
    const failing = [finding("webhook", "FAIL"), provider, driver, finding("nodes", "WARN")].filter((each) => each !== undefined);

    assert.equal(firstToDo(failing), "to do first: driver: m -> mend driver");
    assert.equal(firstToDo([...failing, ...(deployments ? [deployments] : [])]), "to do first: deployments: m -> mend deployments");
  });
});
