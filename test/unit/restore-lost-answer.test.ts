import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareAll, restoreClass } from "../../src/cli/restore/snapshots.ts";
import type { Cluster } from "../../src/cli/shared/command.ts";
import { withRepeatedReads } from "../../src/cli/shared/repeated-reads.ts";
import { createViewer } from "../../src/cli/shared/viewer.ts";
import { workerCode } from "../../src/cli/shared/worker-code.ts";
import { RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const CLASSES = RESOURCES.secretProviderClasses;
const REF = { namespace: "shop", name: "app" };
const OWNER = "argocd-controller";

const classOf = (keyvaultName: string): SecretProviderClass => ({
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: REF,
  spec: { provider: "azure", parameters: { keyvaultName } },
});

const failingRead = ({ verb }: { readonly verb: string }): KubeError | undefined =>
  verb === "get" ? new KubeError("Forbidden", "get: Forbidden", { retry: { kind: "never" }, status: 403 }) : undefined;

interface LostAnswer {
  readonly isThere: boolean;
  readonly lost: string | undefined;
  /** Whether the first read after the lost answer fails, too. */
  readonly failsRead?: boolean;
}

/** Restores the class twice. The API server stores the first write with this verb, and its answer is lost. */
async function restoredTwice({ isThere, lost, failsRead = false }: LostAnswer) {
  const cluster = new SimulatedCluster(new ManualClock());
  cluster.put(CLASSES, classOf("good"), OWNER);
  const good = cluster.get<SecretProviderClass>(CLASSES, REF);
  assert.ok(good);
  const { managedFields } = good.metadata;
  const snapshot = { ...REF, generation: 1, uid: good.metadata.uid, labels: {}, annotations: {}, spec: good.spec, managedFields };
  if (isThere) cluster.put(CLASSES, classOf("broken"), "kubectl-edit");
  else cluster.delete(CLASSES, REF);
  let left = 1;
  cluster.lostAnswer = ({ verb }) => {
    if (verb !== lost || left === 0) return undefined;
    left -= 1;
    if (failsRead) cluster.fault = failingRead;
    return new KubeError("Unavailable", `${verb}: no answer`, { retry: { kind: "backoff" }, status: 504 });
  };
  const clock = { now: () => Date.now(), sleep: async () => undefined };
  const opened = withRepeatedReads({ kube: cluster.client, namespace: "shop" } as Cluster, clock); // Nothing else of it is used.
  const { signal } = new AbortController();
  const viewer = createViewer(opened, signal);
  const metadata = { namespace: "shop", name: "rev", creationTimestamp: "2026-12-01T00:00:00Z" };
  const stored = { revision: { metadata }, className: "app", record: { data: snapshot } } as never; // The comparison reads these fields only.
  const options = { kube: opened.kube, worker: await workerCode(), isDryRun: false, isForced: true, signal };
  const actions: string[] = [];
  const owners: (readonly (string | undefined)[])[] = [];
  for (let run = 1; run <= 2; run += 1) {
    cluster.fault = () => undefined;
    const [candidate] = await compareAll(viewer, [stored]);
    assert.ok(candidate);
    actions.push((await restoreClass(options, candidate)).action);
    owners.push((cluster.get<SecretProviderClass>(CLASSES, REF)?.metadata.managedFields ?? []).map(({ manager }) => manager));
  }
  return { actions, owners };
}

describe("RB3: restore whose answer is lost", () => {
  test("gives the fields back also where its repeated patch meets its own result", async () => {
    assert.deepEqual(await restoredTwice({ isThere: true, lost: "patch" }), {
      actions: ["overwritten", "kept"],
      owners: [[OWNER], [OWNER]],
    });
  });

  test("gives the fields back at the next run where its class was created", async () => {
    const { owners } = await restoredTwice({ isThere: false, lost: "create" });
    assert.deepEqual(owners.at(-1), [OWNER]);
  });

  test("reports the class as refused where it cannot be read again, and gives the fields back at the next run", async () => {
    const { actions, owners } = await restoredTwice({ isThere: true, lost: "patch", failsRead: true });
    assert.deepEqual(actions, ["refused", "kept"]);
    assert.deepEqual(owners.at(-1), [OWNER]);
  });

  for (const isThere of [true, false]) {
    test(`the control: does so with every answer, and the class ${isThere ? "there" : "missing"}`, async () => {
      const { owners } = await restoredTwice({ isThere, lost: undefined });
      assert.deepEqual(owners, [[OWNER], [OWNER]]);
    });
  }
});
