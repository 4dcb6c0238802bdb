import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkRestarts } from "../../src/cli/doctor/checks/restarts.ts";
import { ROLLOUT_REASONS, type RolloutReason } from "../../src/domain/reasons.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aClass, prefixed } from "../support/fixtures/pods.ts";
import { holding } from "../support/worker/held-objects.ts";

const NAMESPACE = "shop";

const CLASS: Manifest = Object.assign(
  { ...aClass({ clientID: "app-1" }) },
  {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: NAMESPACE, name: "db", generation: 1 },
  },
);

const WORKLOAD = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: NAMESPACE, name: "web" },
  spec: {
    template: {
      metadata: { annotations: prefixed({ "restart-on-rotation": "true" }) },
      spec: { containers: [{ name: "app", image: "web", envFrom: [{ secretRef: { name: "db" } }] }] },
    },
  },
};

const statusOf = (reason: RolloutReason): Manifest => ({
  apiVersion: "keyvault-injector.dev/v1alpha1",
  kind: "SecretProviderClassSync",
  metadata: { namespace: NAMESPACE, name: "db" },
  status: {
    observedClassGeneration: 1,
    conditions: [
      { type: "Synced", status: "True", reason: "Synced", message: "1 of 1" },
      { type: "Rotated", status: "False", reason, message: "of the worker" },
    ],
    secrets: [{ name: "db", state: "Synced", data: [] }],
  },
});

/** Weight of each state of `explain` and `doctor`: whether the user has to act. */
const WEIGHTS: Readonly<Record<string, string>> = {
  problem: "failed",
  FAIL: "failed",
  warning: "held",
  WARN: "held",
  SKIP: "unknown",
  OK: "ok",
};

async function weightsOf(reason: RolloutReason): Promise<Readonly<Record<string, string | undefined>>> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  const cluster = heldCluster([namespace, CLASS, WORKLOAD, statusOf(reason)]);
  const explained = async (object: string): Promise<string | undefined> => {
    const { output } = await runOffline(["explain", object, "-n", NAMESPACE, "-o", "json"], "", { cluster });
    const [{ steps }] = JSON.parse(output).explanations;
    const said = steps.find(({ message }: { readonly message: string }) => message.includes(`class db: ${reason}: of the worker`));
    return WEIGHTS[said?.state] ?? said?.state;
  };
  const [summary] = await checkRestarts({ viewer: holding([namespace, statusOf(reason)]), namespace: "keyvault-injector" });
  const { output } = await runOffline(["doctor", "class", `${NAMESPACE}/db`, "--no-vaults"], "", { cluster });
  return {
    "explain spc": await explained("spc/db"),
    "explain deployment": await explained("deployment/web"),
    doctor: WEIGHTS[summary?.state ?? ""],
    "doctor class": WEIGHTS[/^\s*(\w+) +restarts /m.exec(output)?.[1] ?? ""],
  };
}

describe("a reason for which restarts do not begin", () => {
  for (const reason of ROLLOUT_REASONS) {
    test(`S-10: has one weight in every command: ${reason}`, async () => {
      const { doctor, "doctor class": weight, ...others } = await weightsOf(reason);
      assert.ok(weight !== undefined, "doctor says nothing of restarts");
      assert.deepEqual(others, { "explain spc": weight, "explain deployment": weight });
      // The summary leaves out problems that no one can solve.
      assert.equal(doctor, weight === "unknown" ? "ok" : weight);
    });
  }
});
