import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aClass } from "../support/fixtures/pods.ts";

const WHERE = { namespace: "shop", name: "mounted" };

/** A class without Secrets, for which the worker signs in to the vault as the ServiceAccount `web`. */
const CLASS: Manifest = Object.assign(
  { ...aClass({ clientID: "app-1" }) },
  {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { ...WHERE, generation: 1, annotations: { "keyvault-injector.dev/service-account": "web" } },
  },
);

const condition = (type: string, status: string, reason: string) => ({ type, status, reason, message: `says ${reason}` });

/** The worker's status of the class while a workload that asks for restarts uses it. */
function statusWith(conditions: readonly object[], objects: readonly object[]): Manifest {
  const status = { observedGeneration: 1, secrets: [], conditions, objects };
  const object = { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", metadata: WHERE, status };
  return object;
}

const GOOD = statusWith(
  [condition("Synced", "True", "Synced"), condition("Rotated", "False", "AwaitingFiles")],
  [{ object: "secret/a", version: "7" }],
);
const BAD = statusWith(
  [condition("Synced", "False", "ObjectNotFound"), condition("Rotated", "False", "RolloutFailed")],
  [{ object: "secret/a", state: "ObjectNotFound", message: "the vault has none" }],
);
const DEPLOYMENT: Manifest = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: "keyvault-injector", name: "keyvault-injector-sync" },
};
const clusterOf = (...more: readonly Manifest[]) =>
  heldCluster([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }, CLASS, DEPLOYMENT, ...more]);

async function explained(...more: readonly Manifest[]) {
  const { output } = await runOffline(["explain", "spc/mounted", "-n", "shop", "-o", "json"], "", { cluster: clusterOf(...more) });
  const [{ verdict, steps }] = JSON.parse(output).explanations;
  const said = steps.filter(({ topic }: { topic: string }) => topic === "sync");
  return { verdict, steps: said.map(({ state, message }: { state: string; message: string }) => `${state}: ${message}`) };
}

const doctored = async (...more: readonly Manifest[]): Promise<string> =>
  (await runOffline(["doctor", "class", "shop/mounted", "--no-vaults"], "", { cluster: clusterOf(...more) })).output;

describe("a class that only pods mount, whose versions are followed for restarts", () => {
  test("is explained by its versions and by what its restarts wait for", async () => {
    const { verdict, steps } = await explained(GOOD);

    assert.deepEqual([verdict.outcome, verdict.reason, verdict.message], ["unmirrored", "NoSecretObjects", "says Synced"]);
    assert.deepEqual(steps, [
      "ok: class mounted is Synced: says Synced",
      "ok: restarts for class mounted: AwaitingFiles: says AwaitingFiles",
      "ok: class mounted: secret/a version 7",
    ]);
  });

  test("fails where its vault has no such object", async () => {
    const { verdict, steps } = await explained(BAD);

    assert.deepEqual([verdict.outcome, verdict.reason], ["failing", "ObjectNotFound"]);
    assert.deepEqual(steps, [
      "problem: class mounted is ObjectNotFound: says ObjectNotFound",
      "problem: restarts for class mounted: RolloutFailed: says RolloutFailed",
      "problem: class mounted: secret/a has no known version: ObjectNotFound: the vault has none",
    ]);
  });

  test("mirrors nothing, and that is all, where nobody follows it", async () => {
    const { verdict, steps } = await explained();

    assert.equal(verdict.reason, "NoSecretObjects");
    assert.deepEqual(steps, ["ok: class mounted syncs nothing: it has no secretObjects"]);
  });

  test("is walked by doctor to its status", async () => {
    assert.match(await doctored(GOOD), /OK +status +says Synced/);
    assert.match(await doctored(BAD), /FAIL +status +status-failing: ObjectNotFound: says ObjectNotFound/);
    assert.match(await doctored(), /OK +status +the class syncs nothing: it has no secretObjects/);
  });

  test("needs what its identity needs of the Namespace", async () => {
    const needs = async (...more: readonly Manifest[]) =>
      (await runOffline(["grants", "-n", "shop"], "", { cluster: clusterOf(...more) })).output;

    assert.match(await needs(GOOD), /web/);
    assert.doesNotMatch(await needs(), /web/);
  });
});
